// Which numbers of the other side were seen: each counts once, and none that is far behind. Pure.

/** How far a datagram may be overtaken. */
const WINDOW = 64;

export class ReplayWindow {
  #highest = -1;
  readonly #seen = new Set<number>();

  /** Whether this number is new; from here on it isn't. */
  accept(number: number): boolean {
    if (number <= this.#highest - WINDOW || this.#seen.has(number)) return false;
    this.#seen.add(number);
    if (number > this.#highest) this.#highest = number;
    if (this.#seen.size > 2 * WINDOW) this.#forgetOld();
    return true;
  }

  #forgetOld(): void {
    for (const number of this.#seen) {
      if (number <= this.#highest - WINDOW) this.#seen.delete(number);
    }
  }
}
