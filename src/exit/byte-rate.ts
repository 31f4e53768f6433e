// So many bytes a second, shared by whoever asks: each is told how long to wait (a token bucket).

/** What may pass at once after a silence, as a share of a second. */
const BURST_S = 0.25;

export class ByteRate {
  readonly #bytesPerMs: number;
  /** Until when everything that was let through so far takes, in ms. */
  #busyUntil = 0;

  /** @param bytesPerSecond infinite: no limit */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
  }

  get isLimited(): boolean {
    return Number.isFinite(this.#bytesPerMs);
  }

  /** Takes so many bytes. Returns how long to wait after them, in ms. */
  take(bytes: number, now: number): number {
    if (!this.isLimited) return 0;
    this.#busyUntil = Math.max(this.#busyUntil, now - BURST_S * 1_000) + bytes / this.#bytesPerMs;
    return Math.max(0, this.#busyUntil - now);
  }
}
