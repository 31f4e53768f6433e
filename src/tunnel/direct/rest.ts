// When a path is looked for again that was not to be had.

/** After a failure, doubled for each one that follows. */
const FIRST_REST_MS = 60_000;
const LONGEST_REST_MS = 1_800_000;
/** A path that lasted this long was a good one, whatever was before. */
const LASTED_MS = 30_000;
/** One that is lost is looked for again soon, unless there was trouble just before. */
const LOST_REST_MS = 1_000;

export class Rest {
  #until = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** One that did not last. */
  #hasLost = false;
  #reason: string | undefined;

  /** Why it rests, or did last. */
  get reason(): string | undefined {
    return this.#reason;
  }

  isOn(now: number): boolean {
    return now < this.#until;
  }

  failed(reason: string, now: number): void {
    this.#reason = reason;
    this.#until = now + Math.min(FIRST_REST_MS * 2 ** this.#failures, LONGEST_REST_MS);
    this.#failures = Math.min(this.#failures + 1, 16);
  }

  /** One that stood is gone. */
  lost(reason: string, lastedMs: number, now: number): void {
    if (lastedMs >= LASTED_MS) this.forget();
    if (this.#failures > 0 || this.#hasLost) {
      this.failed(reason, now);
      return;
    }
    this.#hasLost = true;
    this.#reason = reason;
    this.#until = now + LOST_REST_MS;
  }

  /** Everything may be different now. */
  forget(): void {
    this.#until = Number.NEGATIVE_INFINITY;
    this.#failures = 0;
    this.#hasLost = false;
  }
}
