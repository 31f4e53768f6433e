// Whether a path still leads to the other side: when to ask, when it is gone, when nobody needs it any more. Pure.

/** Where bytes flow, silence of this length is looked into; so a cut shows after 7.5 s at most. */
const BUSY_ASK_MS = 1_500;
/** Where they don't, this keeps the mapping of a NAT: those last 30 s and more (RFC 4787, REQ-5, asks for 120 s). */
export const KEEP_ALIVE_MS = 15_000;
/** How long ago bytes flowed, where they still count as flowing. */
const BUSY_MS = 10_000;
/** From one question without an answer to the next, and until the path is given up. */
const REPEAT_MS = 600;
export const GONE_AFTER_MS = 6_000;
/** A path without streams is kept for so long. */
export const IDLE_MS = 300_000;

export type Verdict = 'ask' | 'gone' | 'idle';

export class Liveness {
  #heardAt: number;
  #busyAt: number;
  #usedAt: number;
  /** Since when questions wait for an answer. */
  #askedSince: number | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(now: number) {
    this.#heardAt = now;
    this.#busyAt = now;
    this.#usedAt = now;
  }

  /** Something of the other side has arrived. */
  heard(now: number): void {
    this.#heardAt = now;
    this.#askedSince = undefined;
  }

  /** A stream is open; bytes move, or wait to. */
  used(isBusy: boolean, now: number): void {
    this.#usedAt = now;
    if (isBusy) this.#busyAt = now;
  }

  /** Something happened that may have cut the path: it is asked at once. */
  suspect(now: number): void {
    this.#busyAt = now;
    this.#askedSince ??= now;
  }

  /** What to do now, if anything; `ask` counts as done. */
  check(now: number): Verdict | undefined {
    if (now - this.#usedAt >= IDLE_MS) return 'idle';
    if (this.#askedSince !== undefined && now - this.#askedSince >= GONE_AFTER_MS) return 'gone';
    if (now < this.#askAt(now)) return undefined;
    this.#askedSince ??= now;
    this.#askedAt = now;
    return 'ask';
  }

  #askAt(now: number): number {
    if (this.#askedSince !== undefined) return this.#askedAt + REPEAT_MS;
    const isBusy = now - this.#busyAt < BUSY_MS;
    return this.#heardAt + (isBusy ? BUSY_ASK_MS : KEEP_ALIVE_MS);
  }
}
