// Round-trip time of a pair of peers, and the retransmission time-out that follows from it (RFC 6298).
// Pure: samples come in, milliseconds come out.

/** Before anything was measured: one second, as RFC 6298 section 2.1 says. */
const INITIAL_TIMEOUT_MS = 1_000;
/** Relays deliver in batches of about 100 ms, so a shorter time-out would fire on every other batch. */
const MIN_TIMEOUT_MS = 300;
/** Longest pause between two repeats: a relay that was down is noticed soon after it is back. */
const MAX_TIMEOUT_MS = 3_000;
/** The same where one round trip takes longer than that. */
const LONGEST_TIMEOUT_MS = 10_000;
/** So many premature repeats in a row are no coincidence. */
const PREMATURE_REPEATS = 4;
/** Added to the smoothed time where the measured variance is nearly nothing: one batch of a relay. */
const MIN_MARGIN_MS = 150;
/** How long acknowledgements wait to be worth an event: half a round trip, within these bounds. */
const MIN_ACK_DELAY_MS = 100;
const MAX_ACK_DELAY_MS = 250;

export class RoundTrip {
  #smoothedMs: number | undefined;
  #varianceMs = 0;
  #premature = 0;
  #shortestMs = Number.POSITIVE_INFINITY;
  /** Time-outs since the last sample. */
  #backOffs = 0;

  /** Smoothed round-trip time in milliseconds, once one was measured. */
  get smoothedMs(): number | undefined {
    return this.#smoothedMs;
  }

  /** Shortest sample, in milliseconds; infinite before the first. */
  get shortestMs(): number {
    return this.#shortestMs;
  }

  /**
   * Takes the age of a transmission that was answered after it had been repeated, in milliseconds. One of them
   * may mean that an answer was lost; several without a clean sample mean that the way has become longer.
   */
  premature(elapsedMs: number): void {
    this.#premature += 1;
    if (this.#premature >= PREMATURE_REPEATS) this.sample(elapsedMs);
  }

  /** Takes one measured round trip, in milliseconds. */
  sample(elapsedMs: number): void {
    this.#premature = 0;
    this.#backOffs = 0;
    this.#shortestMs = Math.min(this.#shortestMs, elapsedMs);
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = elapsedMs;
      this.#varianceMs = elapsedMs / 2;
      return;
    }
    this.#varianceMs += (Math.abs(this.#smoothedMs - elapsedMs) - this.#varianceMs) / 4;
    this.#smoothedMs += (elapsedMs - this.#smoothedMs) / 8;
  }

  /** Something timed out: until there is a clean sample, everything gets more time (RFC 6298, 5.5 to 5.7). */
  backOff(): void {
    this.#backOffs += 1;
  }

  /** Another way was taken: what was the shortest on the old one says nothing. */
  forgetShortest(): void {
    this.#shortestMs = Number.POSITIVE_INFINITY;
  }

  /** How long an acknowledgement may wait to be worth an event, in milliseconds. The peer's does so, too. */
  get ackDelayMs(): number {
    const half = (this.#smoothedMs ?? 0) / 2;
    return Math.min(MAX_ACK_DELAY_MS, Math.max(MIN_ACK_DELAY_MS, half));
  }

  /** How long to wait for an acknowledgement of the `tries`-th transmission (from 1), in milliseconds. */
  timeoutMs(tries: number): number {
    const base =
      this.#smoothedMs === undefined
        ? INITIAL_TIMEOUT_MS
        : Math.max(
            MIN_TIMEOUT_MS,
            this.#smoothedMs + this.ackDelayMs + Math.max(MIN_MARGIN_MS, 4 * this.#varianceMs),
          );
    // A round trip that is itself longer than the usual cap must not be cut short by it.
    const cap = Math.min(LONGEST_TIMEOUT_MS, Math.max(MAX_TIMEOUT_MS, base));
    // One repeat may be lost by chance, so the pause grows from the second one on.
    return Math.min(cap, base * 2 ** Math.min(Math.max(this.#backOffs - 1, tries - 2, 0), 16));
  }
}
