// Is the peer still there, and does it still know our streams? A peer with open streams that is silent is asked,
// soon after traffic, seldom while streams idle, and is gone when it answers nothing. Pure.

/** Streams that one question asks after. */
export const MAX_ASKED_AFTER = 256;
/** Silence after traffic: the peer may have been restarted amid it, and not know our streams any more. */
const QUIET_MS = 5_000;
/** Silence of streams that idle. The two sides differ, so that one question does for both. */
const KEEPALIVE_MS = { entry: 75_000, exit: 60_000 } as const;
/** Pause between questions, and after the last one. */
const PING_PAUSE_MS = 10_000;
const MAX_PINGS = 6;
/** Pause between questions to a peer that has forgotten streams, until all of them were asked after. */
const SUSPICION_PAUSE_MS = 1_000;

export class Liveness {
  readonly #keepaliveMs: number;
  #heardAt: number;
  #wasHeard = false;
  #askAt: number | undefined;
  #asked = 0;
  /** By key. */
  #askedAfter: ReadonlySet<string> = new Set();
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Nothing but answers to our questions came since the last one. */
  #isIdle = false;
  #isSuspect = false;

  constructor(role: 'entry' | 'exit', now: number) {
    this.#keepaliveMs = KEEPALIVE_MS[role];
    this.#heardAt = now;
  }

  /** When anything last came, in ms; before all time where nothing did. */
  get heardAt(): number {
    return this.#wasHeard ? this.#heardAt : Number.NEGATIVE_INFINITY;
  }

  /** Something came from the peer: `traffic` that shows streams in use, or anything else. */
  heard(now: number, traffic: boolean): void {
    this.#heardAt = now;
    this.#wasHeard = true;
    this.#askAt = undefined;
    this.#asked = 0;
    if (traffic) this.#isIdle = false;
  }

  /** A question goes out, with which the streams of these keys are asked after. */
  asked(keys: readonly string[], now: number): void {
    this.#askedAfter = new Set(keys);
    this.#askedAt = now;
    this.#isSuspect = false;
  }

  /** The peer doesn't know this stream. Asked after it, it may have forgotten others: they are asked after soon. */
  forgotten(key: string): void {
    this.#isSuspect ||= this.#askedAfter.has(key);
  }

  /** What to do now about a peer that has open streams. */
  check(now: number): 'nothing' | 'ask' | 'gone' {
    // Silence counts from when there was somebody to listen for.
    this.#askAt ??= Math.max(this.wakeAt, now);
    if (now < this.#askAt) return 'nothing';
    if (this.#asked === MAX_PINGS) {
      this.heard(now, false);
      return 'gone';
    }
    this.#asked += 1;
    this.#isIdle = true;
    this.#askAt = now + PING_PAUSE_MS;
    return 'ask';
  }

  get wakeAt(): number {
    if (this.#askAt !== undefined) return this.#askAt;
    if (this.#isSuspect) return this.#askedAt + SUSPICION_PAUSE_MS;
    return this.#heardAt + (this.#isIdle ? this.#keepaliveMs : QUIET_MS);
  }
}
