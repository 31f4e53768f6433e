// How many bytes may be on their way to one peer: enough to keep the relay busy, not so many that they queue
// up there and hold back what is small and urgent. Follows the round-trip time, not loss, since relays lose
// events for other reasons than load. Pure.

import type { RoundTrip } from '../stream/round-trip.js';

const FIRST_LIMIT_BYTES = 1024 * 1024;
const LEAST_LIMIT_BYTES = 192 * 1024;
/** Well under the 32 MiB at which strfry cuts off a subscriber that is behind. */
export const MAX_FLIGHT_BYTES = 16 * 1024 * 1024;
/** A round trip of twice the shortest, and one batch of a relay, is no queue yet. */
const TOLERATED_FACTOR = 2;
const TOLERATED_MS = 60;
const GROWTH = 1.25;
const FIRST_GROWTH = 2;
const DECREASE = 0.8;
/** The limit changes at most once a round trip, and not more often than this. */
const LEAST_INTERVAL_MS = 20;

export class FlightLimit {
  readonly #roundTrip: RoundTrip;
  #limitBytes = FIRST_LIMIT_BYTES;
  #growth = FIRST_GROWTH;
  #changeAt = 0;
  #wasReached = false;

  constructor(roundTrip: RoundTrip) {
    this.#roundTrip = roundTrip;
  }

  get bytes(): number {
    return this.#limitBytes;
  }

  /** More would have been sent, were it not for the limit. */
  reached(): void {
    this.#wasReached = true;
  }

  /** An acknowledgement came. */
  update(now: number): void {
    const { smoothedMs, shortestMs } = this.#roundTrip;
    if (smoothedMs === undefined || now < this.#changeAt) return;
    this.#changeAt = now + Math.max(LEAST_INTERVAL_MS, smoothedMs);
    if (smoothedMs > TOLERATED_FACTOR * shortestMs + TOLERATED_MS) {
      this.#growth = GROWTH;
      this.#limitBytes = Math.max(LEAST_LIMIT_BYTES, this.#limitBytes * DECREASE);
    } else if (this.#wasReached) {
      this.#limitBytes = Math.min(MAX_FLIGHT_BYTES, this.#limitBytes * this.#growth);
    }
    this.#wasReached = false;
  }
}
