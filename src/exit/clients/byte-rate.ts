// So many bytes a second, shared by whoever asks: what passes is owed, and while something is owed, nothing more
// may pass (a token bucket).

/** What may pass at once after a silence, as a share of a second. */
const BURST_S = 0.25;

export class ByteRate {
  readonly #bytesPerMs: number;
  /** Until when everything that has passed so far takes, in ms. */
  #busyUntil = 0;

  /** @param bytesPerSecond infinite: no limit */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
  }

  get isLimited(): boolean {
    return Number.isFinite(this.#bytesPerMs);
  }

  /** How long until more may pass, in ms. */
  waitMs(now: number): number {
    return Math.max(0, this.#busyUntil - now);
  }

  /** So many bytes pass. */
  take(bytes: number, now: number): void {
    if (!this.isLimited) return;
    const since = Math.max(this.#busyUntil, now - BURST_S * 1_000);
    this.#busyUntil = since + bytes / this.#bytesPerMs;
  }
}
