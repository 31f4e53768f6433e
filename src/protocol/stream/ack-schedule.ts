// When a stream says what has arrived: seldom, since every event costs two signatures and public relays ration them. It
// rides on data of our own as it leaves; here is when it goes by itself. Pure.

import { MAX_UNSAID_BYTES } from '../../limits.js';

/** To a peer that doesn't hear how long we waited, and takes the wait for a slow relay. */
const SHORT_DELAY_MS = 30;
/** What needs an answer soon still waits for what comes with it. */
const GATHER_MS = 5;
/** What was said of things that arrived before may have got through, or isn't waited for any more. */
const LATELY_MS = 10_000;
/** Of a window: the first is smaller, since a sender that begins has not been let far yet. */
const FIRST_PART = 1 / 8;
const PART = 1 / 4;

export class AckSchedule {
  /** The longest wait after something new, in ms. */
  delayMs = SHORT_DELAY_MS;
  #part = FIRST_PART;
  #dueAt: number | undefined;
  /** The same for a window that has opened. */
  #openDueAt: number | undefined;
  #arrivedAt: number | undefined;

  get dueAt(): number | undefined {
    if (this.#openDueAt === undefined) return this.#dueAt;
    return Math.min(this.#openDueAt, this.#dueAt ?? Number.POSITIVE_INFINITY);
  }

  /** Something new has arrived; `opensGap`: ahead of what is missing, and the first of that. */
  arrived(now: number, opensGap: boolean): void {
    this.#arrivedAt = now;
    this.dueBy(now + (opensGap ? Math.min(SHORT_DELAY_MS, this.delayMs) : this.delayMs));
  }

  /** The peer repeats what is here, or asks: our word was lost or late. */
  asked(now: number): void {
    this.dueBy(now + GATHER_MS);
  }

  /** The application has taken so much of a window that the sender doesn't know of. */
  opened(bytes: number, windowBytes: number, now: number): void {
    if (bytes < Math.min(MAX_UNSAID_BYTES, windowBytes * this.#part)) return;
    this.#part = PART;
    this.#openDueAt ??= now + GATHER_MS;
  }

  /** The window was said, be it without an acknowledgement. */
  windowSaid(): void {
    this.#openDueAt = undefined;
  }

  /** Whether the peer may still wait for our last word. */
  isRecent(now: number): boolean {
    return this.#arrivedAt !== undefined && now - this.#arrivedAt < LATELY_MS;
  }

  /** It is due then, or before. */
  dueBy(at: number): void {
    this.#dueAt = Math.min(this.#dueAt ?? Number.POSITIVE_INFINITY, at);
  }

  /** How long the newest of what has arrived has waited, in whole ms. */
  waitedMs(now: number): number {
    return this.#arrivedAt === undefined ? 0 : Math.round(now - this.#arrivedAt);
  }

  /** It leaves. */
  done(): void {
    this.#dueAt = undefined;
    this.windowSaid();
  }
}
