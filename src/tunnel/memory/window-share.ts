// How large a stream's receive window is: all streams that are busy share one bound.

import { STREAM_WINDOW_BYTES, TOTAL_WINDOW_BYTES } from '../../limits.js';

/** However many are busy, each gets this much. */
const LEAST_WINDOW_BYTES = 64 * 1024;
/** A stream that received nothing for this long doesn't count. */
const BUSY_MS = 2_000;

export class WindowShare {
  readonly #busyUntil = new Map<object, number>();
  #prunedAt = 0;

  /** This stream received data. */
  touch(stream: object, now: number): void {
    // Deleted first, so that the map stays in the order of time.
    this.#busyUntil.delete(stream);
    this.#busyUntil.set(stream, now + BUSY_MS);
    if (now - this.#prunedAt < BUSY_MS / 4) return;
    this.#prunedAt = now;
    for (const [other, until] of this.#busyUntil) {
      if (until > now) return;
      this.#busyUntil.delete(other);
    }
  }

  forget(stream: object): void {
    this.#busyUntil.delete(stream);
  }

  /** What one stream may have in flight toward us now. */
  get windowBytes(): number {
    const share = Math.floor(TOTAL_WINDOW_BYTES / Math.max(1, this.#busyUntil.size));
    return Math.min(STREAM_WINDOW_BYTES, Math.max(LEAST_WINDOW_BYTES, share));
  }
}
