// When a path is looked for again that was not to be had. All times on performance.now(), in ms.

/** After a failure, doubled for each one that follows. */
const FIRST_REST_MS = 60_000;
const LONGEST_REST_MS = 1_800_000;
/** A path that lasted this long and is lost is looked for again soon, and so is what the network has changed under. */
const LASTED_MS = 30_000;
const SHORT_REST_MS = 1_000;

export class Rest {
  #until = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #changedAt = Number.NEGATIVE_INFINITY;
  #reason: string | undefined;

  /** Why it rests, or did last. */
  get reason(): string | undefined {
    return this.#reason;
  }

  isOn(now: number): boolean {
    return now < this.#until;
  }

  /** None was found, by what began then. */
  failed(reason: string, beganAt: number, now: number): void {
    this.#reason = reason;
    if (beganAt < this.#changedAt) {
      this.#until = now + SHORT_REST_MS;
      return;
    }
    this.#until = now + Math.min(FIRST_REST_MS * 2 ** this.#failures, LONGEST_REST_MS);
    this.#failures = Math.min(this.#failures + 1, 16);
  }

  /** One that stood since then is gone. */
  lost(reason: string, since: number, now: number): void {
    if (now - since < LASTED_MS) {
      this.failed(reason, since, now);
      return;
    }
    this.#reason = reason;
    this.#until = now + SHORT_REST_MS;
  }

  /** It works. */
  forget(): void {
    this.#until = Number.NEGATIVE_INFINITY;
    this.#failures = 0;
  }

  /** Everything may be different now: what began before says nothing of what comes. */
  networkChanged(now: number): void {
    this.forget();
    this.#changedAt = now;
  }
}
