// How many bytes may be on their way to one peer over one relay: enough to keep the relay busy, not so many that they
// queue up there and hold back what is small and urgent. Follows the round-trip time, not loss, since relays lose
// events for other reasons than load. Pure.
//
// Relays deliver in batches, so that single round trips differ by a batch each way. What is compared are means of rounds:
// with that of the way when nothing queues up, which is looked for now and then with half as much on its way.

import { MAX_UNSAID_BYTES } from '../../limits.js';

/** Each of several peers may begin with so much at once, while nobody knows yet what the relay passes on. */
const FIRST_LIMIT_BYTES = 1024 * 1024;
const LEAST_LIMIT_BYTES = 96 * 1024;
/** In events a third more: half of the 32 MiB at which strfry cuts off a subscriber that is behind. */
export const MAX_FLIGHT_BYTES = 12 * 1024 * 1024;
/** A mean of so much more than without a queue is none yet; this much is none at all. */
const TOLERATED_FACTOR = 1.1;
const TOLERATED_MS = 15;
const CHANCE_FACTOR = 1.05;
/** In a round, until the first queue; behind one; faster with each round without; and the other way. */
const MOST_GROWTH = 2;
const LEAST_GROWTH = 1.25;
const GROWTH_FACTOR = 1.1;
const MOST_DECREASE = 0.6;
/**
 * While others say something small on the same way: relays deliver in batches, and the receiver works through what comes
 * at once in its order.
 */
const MAX_BESIDE_BYTES = 4 * 1024 * 1024;
/** That long after they did. */
const BESIDE_MS = 1_000;
/** Less than this that times out is nothing to judge by. */
const LEAST_TIMED_OUT_BYTES = 64 * 1024;
/** Of what fills the way, since means and rates differ by chance. */
const NEEDED_SHARE = 0.8;
/** Where less of the limit was used, a longer round trip has other reasons. */
const USED_SHARE = 1 / 2;
/** What the best round delivered counts less with each that follows. */
const RATE_DECAY = 0.9;
/** A round has so many samples at the least, and lasts so long: several batches of a relay. */
const LEAST_SAMPLES = 2;
const LEAST_ROUND_MS = 400;
/** What is looked for again after so long; soon at first. */
const FIRST_PROBE_MS = 500;
const LONGEST_PROBE_MS = 10_000;
const PROBE_FACTOR = 1 / 2;
/** Weight of a mean that says more about the way without a queue than what was known: they differ by chance, too. */
const PROBE_WEIGHT = 1 / 2;
const BASE_WEIGHT = 1 / 4;
/** Where a probe shows so much less, the next one may show less still. */
const LESS_FACTOR = 0.8;
/** With half as much on its way it takes this much of the time, or more: nothing queued up, the way is as long as that. */
const SAME_FACTOR = 0.9;

export class FlightLimit {
  #limitBytes = FIRST_LIMIT_BYTES;
  #growth = MOST_GROWTH;
  /** Mean without a queue. */
  #baseMs: number | undefined;
  #isProbing = false;
  #probeAt: number | undefined;
  #probePauseMs = FIRST_PROBE_MS;
  #sumMs = 0;
  #samples = 0;
  /** What was sent before says nothing about the limit as it is now. */
  #changedAt = 0;
  #roundBeganAt = 0;
  #roundEndsAt = 0;
  /** What arrives when it goes well. */
  #bytesPerMs = 0;
  #ackDelayMs = 0;
  #wasReached = false;
  #inFlightBytes = 0;
  /** Since the limit was last judged, as are the next ones. */
  #mostInFlightBytes = 0;
  #lastMeanMs = 0;
  #besideAt = Number.NEGATIVE_INFINITY;
  #mostBytes = MAX_FLIGHT_BYTES;
  #arrivedBytes = 0;
  #timedOutBytes = 0;

  get bytes(): number {
    const limitBytes = Math.min(this.#limitBytes, this.#mostBytes);
    const bytes = this.#isProbing ? limitBytes * PROBE_FACTOR : limitBytes;
    return Math.max(LEAST_LIMIT_BYTES, bytes) + this.#arrivedUnsaidBytes;
  }

  /** What has arrived and isn't acknowledged yet, since acknowledgements wait to be worth an event. */
  get #arrivedUnsaidBytes(): number {
    return Math.min(MAX_UNSAID_BYTES, this.#bytesPerMs * this.#ackDelayMs);
  }

  /** The peer says what has arrived after so many ms at the most. */
  acknowledgedWithin(ackDelayMs: number): void {
    this.#ackDelayMs = ackDelayMs;
  }

  /** Something small goes the same way, while there is bulk; or time goes by without. */
  share(now: number, isBeside: boolean): void {
    if (isBeside) this.#besideAt = now;
    this.#mostBytes = now - this.#besideAt < BESIDE_MS ? MAX_BESIDE_BYTES : MAX_FLIGHT_BYTES;
  }

  /** More would have been sent, were it not for the limit. */
  reached(): void {
    this.#wasReached = true;
  }

  /** One measured round trip, in ms. */
  sample(elapsedMs: number, now: number): void {
    if (now - elapsedMs < this.#changedAt) return;
    this.#sumMs += elapsedMs;
    this.#samples += 1;
    if (now < this.#roundEndsAt || this.#samples < LEAST_SAMPLES) return;
    const bytesPerMs = this.#arrivedBytes / (now - this.#roundBeganAt);
    this.#bytesPerMs = Math.max(bytesPerMs, RATE_DECAY * this.#bytesPerMs);
    this.#judge(this.#sumMs / this.#samples, now);
    this.#beginRound(now);
  }

  /** Bytes that are on their way. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  get hasRoom(): boolean {
    return this.#inFlightBytes < this.bytes;
  }

  sent(bytes: number): void {
    this.#inFlightBytes += bytes;
    this.#mostInFlightBytes = Math.max(this.#mostInFlightBytes, this.#inFlightBytes);
  }

  arrived(bytes: number): void {
    this.#inFlightBytes -= bytes;
    this.#arrivedBytes += bytes;
  }

  /** They are lost, or nobody waits for them any more. */
  dropped(bytes: number): void {
    this.#inFlightBytes -= bytes;
  }

  /** So much timed out. Where it is more than arrived, that was no loss: it queues up. */
  timedOut(bytes: number, now: number): void {
    this.#timedOutBytes += bytes;
    if (this.#timedOutBytes <= Math.max(this.#arrivedBytes, LEAST_TIMED_OUT_BYTES)) return;
    this.#growth = LEAST_GROWTH;
    this.#change(1 / 2, now);
    this.#beginRound(now);
  }

  #beginRound(now: number): void {
    this.#sumMs = 0;
    this.#samples = 0;
    this.#wasReached = false;
    this.#mostInFlightBytes = this.#inFlightBytes;
    this.#arrivedBytes = 0;
    this.#timedOutBytes = 0;
    this.#roundBeganAt = now;
    this.#roundEndsAt = now + LEAST_ROUND_MS;
  }

  #judge(meanMs: number, now: number): void {
    const baseMs = this.#learn(meanMs);
    this.#lastMeanMs = meanMs;
    if (this.#isProbing) {
      this.#isProbing = false;
      this.#changedAt = now;
      return;
    }
    const factor = (TOLERATED_FACTOR * baseMs + TOLERATED_MS) / meanMs;
    if (factor < 1) this.#shrink(factor, baseMs, now);
    else if (this.#wasReached) {
      const isShort = meanMs <= CHANCE_FACTOR * baseMs;
      this.#change(isShort ? this.#growth : Math.min(this.#growth, factor), now);
      this.#growth = Math.min(MOST_GROWTH, GROWTH_FACTOR * this.#growth);
    }
    if (this.#wasReached) this.#planProbe(now);
  }

  #shrink(factor: number, baseMs: number, now: number): void {
    // Less than what fills the way shortens no queue: if it takes longer nevertheless, somebody is busy with something else.
    const needed = (NEEDED_SHARE * this.#bytesPerMs * baseMs) / this.#limitBytes;
    if (!this.#wasUsed || needed >= 1) return;
    this.#growth = LEAST_GROWTH;
    this.#change(Math.max(MOST_DECREASE, factor, needed), now);
  }

  get #wasUsed(): boolean {
    return this.#mostInFlightBytes >= USED_SHARE * this.#limitBytes;
  }

  #change(factor: number, now: number): void {
    const bytes = this.#limitBytes * factor;
    this.#limitBytes = Math.min(MAX_FLIGHT_BYTES, Math.max(LEAST_LIMIT_BYTES, bytes));
    this.#changedAt = now;
  }

  /**
   * A probe shows the way as it is, whether it has become shorter or longer, and so does a round in which little was on its
   * way; any other may have a queue in it.
   */
  #learn(meanMs: number): number {
    this.#baseMs ??= meanMs;
    const baseMs = this.#baseMs;
    const isLonger = meanMs > TOLERATED_FACTOR * baseMs && meanMs > SAME_FACTOR * this.#lastMeanMs;
    if (this.#isProbing && isLonger) {
      this.#baseMs = Math.max(baseMs, Math.min(meanMs, this.#lastMeanMs));
      this.#growth = MOST_GROWTH;
      return this.#baseMs;
    }
    // There may be less still.
    if (this.#isProbing && meanMs < LESS_FACTOR * baseMs) this.#probePauseMs = FIRST_PROBE_MS;
    if (this.#isProbing || !this.#wasUsed || meanMs < baseMs) {
      this.#baseMs += (this.#isProbing ? PROBE_WEIGHT : BASE_WEIGHT) * (meanMs - baseMs);
    }
    return this.#baseMs;
  }

  #planProbe(now: number): void {
    this.#probeAt ??= now + this.#probePauseMs;
    if (now < this.#probeAt) return;
    this.#isProbing = true;
    this.#changedAt = now;
    this.#probePauseMs = Math.min(2 * this.#probePauseMs, LONGEST_PROBE_MS);
    this.#probeAt = now + this.#probePauseMs;
  }
}
