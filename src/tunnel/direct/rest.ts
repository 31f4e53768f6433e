// When a path is looked for again that was not to be had. All times on performance.now(), in ms.

/** After a failure, doubled for each one that follows. */
const FIRST_REST_MS = 60_000;
const LONGEST_REST_MS = 1_800_000;
/** A path that lasted this long was a good one, whatever was before. */
const LASTED_MS = 30_000;
/** Behind a path that is lost, unless there was trouble just before, and behind what the network has changed under. */
const SHORT_REST_MS = 1_000;

export class Rest {
  #until = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** One that did not last. */
  #hasLost = false;
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
    if (now - since >= LASTED_MS) this.forget();
    if (this.#failures > 0 || this.#hasLost) {
      this.failed(reason, since, now);
      return;
    }
    this.#hasLost = true;
    this.#reason = reason;
    this.#until = now + SHORT_REST_MS;
  }

  /** What was says nothing of what comes. */
  forget(): void {
    this.#until = Number.NEGATIVE_INFINITY;
    this.#failures = 0;
    this.#hasLost = false;
  }

  /** Everything may be different now, whatever comes of what began before. */
  networkChanged(now: number): void {
    this.forget();
    this.#changedAt = now;
  }
}
