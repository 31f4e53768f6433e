// The one word that a stream owes its peer, OPEN or RESET: when it is due, and when it is too late for it. Pure.

import { RESET_TIMEOUT_MS } from './timeouts.js';

export class OwedAnswer {
  #at: number | undefined;

  get isOwed(): boolean {
    return this.#at !== undefined;
  }

  /** Due from now on. */
  owe(now: number): void {
    this.#at = now;
  }

  /** Given, or of no use any more. */
  clear(): void {
    this.#at = undefined;
  }

  isDue(now: number): boolean {
    return this.#at !== undefined && now >= this.#at;
  }

  /** A RESET that no relay took for so long is given up. */
  expire(now: number): void {
    if (this.#at !== undefined && now - this.#at >= RESET_TIMEOUT_MS) this.#at = undefined;
  }

  get dueAt(): number | undefined {
    return this.#at;
  }

  get expiresAt(): number | undefined {
    return this.#at === undefined ? undefined : this.#at + RESET_TIMEOUT_MS;
  }
}
