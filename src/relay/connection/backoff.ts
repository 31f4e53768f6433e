// Pauses between attempts: exponential, jittered and bounded. Keeps no timer of its own.

export interface BackoffBounds {
  /** First pause, in ms; each further one is twice as long. */
  readonly firstMs: number;
  /** Longest pause, in ms. */
  readonly maxMs: number;
  /** The first attempt after a reset follows without a pause. */
  readonly atOnce?: boolean;
}

export class Backoff {
  readonly #bounds: BackoffBounds;
  readonly #random: () => number;
  #attempts = 0;

  constructor(bounds: BackoffBounds, random: () => number = Math.random) {
    this.#bounds = bounds;
    this.#random = random;
  }

  /** The next pause in ms: between half of the exponential value and all of it. */
  next(): number {
    const { firstMs, maxMs, atOnce = false } = this.#bounds;
    const step = this.#attempts++ - (atOnce ? 1 : 0);
    if (step < 0) return 0;
    const pauseMs = Math.min(maxMs, firstMs * 2 ** step);
    // Jitter: all clients of a relay that restarts lose it in the same moment.
    return pauseMs * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
