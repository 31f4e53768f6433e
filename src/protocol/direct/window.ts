// How much the other side of a stream may send before it is read: grows where that is what slows it down, within what
// all streams of the process may hold. Pure.

/** A stream gets this in any case, and this at most. */
export const FIRST_WINDOW_BYTES = 128 * 1024;
const MAX_WINDOW_BYTES = 4 * 1024 * 1024;
/** Credit goes out when this share of the window is free. */
const CREDIT_SHARE = 4;
/** A window that is used up within this time is too small. */
const SLOW_MS = 1_000;

/** What windows may grow by, in all streams together. */
export class WindowPool {
  #free: number;

  /** @param bytes beyond the first window of each stream */
  constructor(bytes: number) {
    this.#free = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}

export class ReceiveWindow {
  readonly #pool: WindowPool;
  #windowBytes = FIRST_WINDOW_BYTES;
  /** Sums from the beginning: what may be sent, has arrived, was read. */
  #granted = FIRST_WINDOW_BYTES;
  #arrived = 0;
  /** Since when the current window is being used up, and where it began. */
  #since: number;
  #from = 0;

  constructor(pool: WindowPool, now: number) {
    this.#pool = pool;
    this.#since = now;
  }

  /** So many bytes have come. Returns false where they were not allowed. */
  arrive(bytes: number): boolean {
    this.#arrived += bytes;
    return this.#arrived <= this.#granted;
  }

  /** @param unread bytes that came and wait @returns the credit to give now, or 0 */
  credit(unread: number, now: number): number {
    const read = this.#arrived - unread;
    if (read - this.#from >= this.#windowBytes) this.#measure(read, now);
    const credit = read + this.#windowBytes - this.#granted;
    if (credit < this.#windowBytes / CREDIT_SHARE) return 0;
    this.#granted += credit;
    return credit;
  }

  #measure(read: number, now: number): void {
    const isQuick = now - this.#since < SLOW_MS;
    if (isQuick && this.#windowBytes < MAX_WINDOW_BYTES && this.#pool.take(this.#windowBytes)) {
      this.#windowBytes *= 2;
    }
    this.#since = now;
    this.#from = read;
  }

  /** The stream is over. */
  close(): void {
    this.#pool.give(this.#windowBytes - FIRST_WINDOW_BYTES);
    this.#windowBytes = FIRST_WINDOW_BYTES;
  }
}
