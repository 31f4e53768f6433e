// One way to a peer, which is one relay: what is on its way over it, how long that takes, and whether the peer was heard
// there. Bulk data goes over every way that is proven to lead to the peer. Pure.

import { RoundTrip } from '../stream/round-trip.js';
import { FlightLimit } from './flight-limit.js';

/** Time-outs in a row, with nothing arriving in between, after which a way leads nowhere. */
const MAX_TIMEOUTS = 3;
/** Pause after a question that wasn't answered, before the next; it doubles. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** A way is too slow for bulk beside one that is so much quicker: the receiver would wait for what it carries. */
const SLOW_FACTOR = 3;
const SLOW_MS = 300;

export class RelayPath {
  readonly roundTrip = new RoundTrip();
  readonly flight = new FlightLimit();
  #isProven = false;
  #timeouts = 0;
  #timedOutAt = 0;
  #question: { readonly key: string; readonly askedAt: number } | undefined;
  #mayAskAt = 0;
  #pauseMs = FIRST_PAUSE_MS;

  /** Bytes of data that were sent over it and are not known to have arrived or to be lost. */
  get inFlightBytes(): number {
    return this.flight.inFlightBytes;
  }

  get hasRoom(): boolean {
    return this.flight.hasRoom;
  }

  /** The peer is known to listen there. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** What goes over it doesn't arrive any more, as it seems. */
  get isFailing(): boolean {
    return this.#timeouts >= MAX_TIMEOUTS;
  }

  /** Whether bulk data may go over it as well as over `main`, which carries what is small. */
  isQuickBeside(main: RelayPath): boolean {
    const { smoothedMs = 0 } = this.roundTrip;
    const { smoothedMs: mainMs = smoothedMs } = main.roundTrip;
    return smoothedMs <= SLOW_FACTOR * mainMs + SLOW_MS;
  }

  /** The peer was heard there. */
  heard(): void {
    this.#isProven = true;
    this.#timeouts = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** The relay is gone, or doesn't reach the peer: until it is heard there, nothing but a question goes there. */
  forget(): void {
    this.#isProven = false;
    this.#timeouts = 0;
    this.#question = undefined;
    this.roundTrip.forgetShortest();
  }

  /** Whether to ask over it if the peer listens there. */
  mayAsk(now: number): boolean {
    return now >= this.#mayAskAt;
  }

  /** The question with this key goes over it. */
  asked(key: string, now: number): void {
    this.#question = { key, askedAt: now };
    this.#mayAskAt = now + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }

  /** The peer answered a question, which may be the one that went this way. */
  answered(key: string, now: number): void {
    if (this.#question?.key !== key) return;
    this.measured(now - this.#question.askedAt, now);
    this.#question = undefined;
    this.heard();
  }

  /** So many bytes go over it. */
  sent(bytes: number): void {
    this.flight.sent(bytes);
  }

  /** They have arrived. */
  arrived(bytes: number): void {
    this.flight.arrived(bytes);
  }

  /** They are lost, or nobody waits for them any more. */
  dropped(bytes: number): void {
    this.flight.dropped(bytes);
  }

  /** So many bytes that were sent then timed out. As a time-out, those that were on their way together count once. */
  timedOut(bytes: number, sentAt: number, now: number): void {
    this.flight.timedOut(bytes, now);
    if (sentAt < this.#timedOutAt) return;
    this.#timedOutAt = now;
    this.#timeouts += 1;
    this.roundTrip.backOff();
    if (this.isFailing) this.#isProven = false;
  }

  /** What went over it was answered after so long, in ms. */
  measured(elapsedMs: number, now: number): void {
    this.roundTrip.sample(elapsedMs);
    this.flight.sample(elapsedMs, now);
  }
}
