// The one word that a stream owes its peer, OPEN or RESET: when it is due, and when it is too late for it. Pure.

import { RESET_TIMEOUT_MS } from './timeouts.js';

/** A target that answers so soon is common; longer, and a window that stays small may hold the peer up. */
const DATA_WAIT_MS = 30;

export class OwedAnswer {
  #at: number | undefined;

  get isOwed(): boolean {
    return this.#at !== undefined;
  }

  /** Due from now on. */
  owe(now: number): void {
    this.#at = now;
  }

  /** The peer has more to say than its question, and isn't waiting: the answer may go out with what is answered to that. */
  waitForData(now: number): void {
    if (this.#at !== undefined) this.#at = Math.max(this.#at, now + DATA_WAIT_MS);
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
