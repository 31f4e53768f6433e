// A bound on memory that many holders share. While there is room everybody takes what they need; when it is
// used up, only those below an equal share still get some, so one that hoards can't starve the others.

export class Budget {
  readonly #totalBytes: number;
  readonly #held = new Map<object, number>();
  #usedBytes = 0;

  /** @param totalBytes what is held in all; at the most twice that, while shares are being evened out */
  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** An equal share of those that hold something, in bytes. */
  get shareBytes(): number {
    return this.#totalBytes / Math.max(1, this.#held.size);
  }

  /** Takes so many bytes for a holder, or says that there is no room for it; what `must` be taken is. */
  take(holder: object, bytes: number, must = false): boolean {
    const mine = this.#held.get(holder) ?? 0;
    const usedBytes = this.#usedBytes + bytes;
    const isFair = mine + bytes <= this.shareBytes && usedBytes <= 2 * this.#totalBytes;
    if (!must && usedBytes > this.#totalBytes && !isFair) return false;
    this.#held.set(holder, mine + bytes);
    this.#usedBytes += bytes;
    return true;
  }

  give(holder: object, bytes: number): void {
    const mine = (this.#held.get(holder) ?? 0) - bytes;
    this.#usedBytes -= bytes;
    if (mine > 0) this.#held.set(holder, mine);
    else this.#held.delete(holder);
  }
}
