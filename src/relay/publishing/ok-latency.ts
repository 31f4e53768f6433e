// How long a relay takes to say OK, and what follows from it for how much may wait for that: enough to keep the relay busy,
// and no queue in front of it that holds back what comes next. Pure.

import { MAX_UNCONFIRMED_BYTES } from '../../limits.js';

/** May wait however long it takes. */
const LEAST_UNCONFIRMED_BYTES = MAX_UNCONFIRMED_BYTES / 4;
/** Longer than the shortest by this, in ms: then there is a queue. */
const QUEUE_MS = 25;
/** Weight of the newest sample in the smoothed latency, as TCP does it (RFC 6298). */
const WEIGHT = 1 / 8;

export class OkLatency {
  #smoothedMs: number | undefined;
  #shortestMs = Number.POSITIVE_INFINITY;

  /** In ms, once one was measured. */
  get smoothedMs(): number | undefined {
    return this.#smoothedMs;
  }

  /** An OK has come after so many ms. */
  sample(elapsedMs: number): void {
    const smoothedMs = this.#smoothedMs ?? elapsedMs;
    this.#smoothedMs = smoothedMs + (elapsedMs - smoothedMs) * WEIGHT;
    this.#shortestMs = Math.min(this.#shortestMs, elapsedMs);
  }

  /** How much may wait for its OK, in bytes. */
  get unconfirmedBytes(): number {
    if (this.#smoothedMs === undefined) return LEAST_UNCONFIRMED_BYTES;
    const share = QUEUE_MS / Math.max(QUEUE_MS, this.#smoothedMs - this.#shortestMs);
    return Math.max(LEAST_UNCONFIRMED_BYTES, share * MAX_UNCONFIRMED_BYTES);
  }
}
