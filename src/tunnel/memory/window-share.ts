// How large a stream's receive window is: all streams through which much comes share one bound. Those that say little
// use next to nothing of a window, and take nothing from the others.

import { STREAM_WINDOW_BYTES, TOTAL_WINDOW_BYTES } from '../../limits.js';

/** However many are busy, each gets this much; one that receives less in `BUSY_MS` isn't busy. */
const LEAST_WINDOW_BYTES = 64 * 1024;
/** A stream that received nothing for this long doesn't count. */
const BUSY_MS = 2_000;

interface Use {
  heardAt: number;
  /** In the period since `countedFrom`. */
  bytes: number;
  countedFrom: number;
  isBusy: boolean;
}

export class WindowShare {
  /** Least recently used first. */
  readonly #uses = new Map<object, Use>();
  #busy = 0;
  #prunedAt = 0;

  /** This stream received so many bytes of data. */
  touch(stream: object, bytes: number, now: number): void {
    const use = this.#uses.get(stream) ?? {
      heardAt: now,
      bytes: 0,
      countedFrom: now,
      isBusy: false,
    };
    // Deleted first, so that the map stays in the order of time.
    this.#uses.delete(stream);
    this.#uses.set(stream, use);
    use.heardAt = now;
    use.bytes += bytes;
    const isOver = now - use.countedFrom >= BUSY_MS;
    if (isOver || use.bytes >= LEAST_WINDOW_BYTES)
      this.#judge(use, use.bytes >= LEAST_WINDOW_BYTES);
    if (isOver) Object.assign(use, { bytes: 0, countedFrom: now });
    if (now - this.#prunedAt >= BUSY_MS / 4) this.#prune(now);
  }

  forget(stream: object): void {
    const use = this.#uses.get(stream);
    if (use !== undefined) this.#judge(use, false);
    this.#uses.delete(stream);
  }

  #judge(use: Use, isBusy: boolean): void {
    if (use.isBusy === isBusy) return;
    use.isBusy = isBusy;
    this.#busy += isBusy ? 1 : -1;
  }

  #prune(now: number): void {
    this.#prunedAt = now;
    for (const [stream, { heardAt }] of this.#uses) {
      if (now - heardAt < BUSY_MS) return;
      this.forget(stream);
    }
  }

  /** What one stream may have in flight toward us now. */
  get windowBytes(): number {
    const share = Math.floor(TOTAL_WINDOW_BYTES / Math.max(1, this.#busy));
    return Math.min(STREAM_WINDOW_BYTES, Math.max(LEAST_WINDOW_BYTES, share));
  }
}
