// One timer for many things that are due at different times: it is armed for the earliest.

/** The longest time that Node's timers keep. */
const LONGEST_MS = 2 ** 31 - 1;

export class WakeTimer {
  readonly #wake: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Number.POSITIVE_INFINITY;

  /** @param wake called once the earliest time has come; it may arm the timer again */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  /**
   * Something is due at this time of performance.now(); undefined: nothing is. Only an earlier one moves the timer: one that
   * fires too early finds nothing to do and arms the next, which is cheaper than a new timer a packet.
   */
  arm(at: number | undefined): void {
    if (at === undefined || at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    const waitMs = Math.max(1, Math.ceil(at - performance.now()));
    this.#timer = setTimeout(() => this.#fire(), Math.min(waitMs, LONGEST_MS));
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.disarm();
    this.#wake();
  }
}
