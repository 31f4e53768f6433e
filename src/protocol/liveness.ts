// Is the peer still there? A peer with open streams that was silent for long is asked by PING, a few times,
// and is gone when it answers nothing. Pure.

/** Silence after which we ask, in ms. The two sides differ, so that one question does for both. */
const KEEPALIVE_MS = { entry: 75_000, exit: 60_000 } as const;
/** Pause between questions, and after the last one, in ms. */
const PING_PAUSE_MS = 10_000;
const MAX_PINGS = 4;

export class Liveness {
  readonly #keepaliveMs: number;
  #heardAt: number;
  #askAt: number | undefined;
  #asked = 0;

  constructor(role: 'entry' | 'exit', now: number) {
    this.#keepaliveMs = KEEPALIVE_MS[role];
    this.#heardAt = now;
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  /** Something came from the peer. */
  heard(now: number): void {
    this.#heardAt = now;
    this.#askAt = undefined;
    this.#asked = 0;
  }

  /** What to do now about a peer that has open streams. */
  check(now: number): 'nothing' | 'ask' | 'gone' {
    // Silence counts from when there was somebody to listen for.
    this.#askAt ??= Math.max(this.#heardAt + this.#keepaliveMs, now);
    if (now < this.#askAt) return 'nothing';
    if (this.#asked === MAX_PINGS) {
      this.heard(now);
      return 'gone';
    }
    this.#asked += 1;
    this.#askAt = now + PING_PAUSE_MS;
    return 'ask';
  }

  get wakeAt(): number {
    return this.#askAt ?? this.#heardAt + this.#keepaliveMs;
  }
}
