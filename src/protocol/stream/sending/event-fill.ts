// Bulk in full events: what is left of a large write waits a moment for more of the same. The first piece, small pieces,
// repeats and the end of the stream wait for nothing. Pure.

import type { SendHalf } from './send-half.js';

/** Behind a piece of at least so many bytes more is on its way, as a rule. */
const BULK_BYTES = 4_096;
/** Several turns of a writer, and less than any relay takes. */
const WAIT_MS = 5;

export class EventFill {
  #until = Number.NEGATIVE_INFINITY;
  #eventBytes = 0;

  /**
   * A piece left.
   * @param maxBytes the most that it could have been
   * @param isAlone nothing else was in its event
   */
  pulled(bytes: number, maxBytes: number, isAlone: boolean, now: number): void {
    if (bytes >= BULK_BYTES) this.#until = now + WAIT_MS;
    if (isAlone) this.#eventBytes = maxBytes;
  }

  /** Whether what there is should wait for more. */
  isWaiting(send: SendHalf, now: number): boolean {
    if (send.hasLost || send.endQueued) return false;
    if (now < send.endsBy) return true;
    if (now >= this.#until) return false;
    // What the window cuts off doesn't grow by waiting.
    return send.queuedBytes < this.#eventBytes && send.sendableBytes === send.queuedBytes;
  }

  /** When waiting ends, in ms. */
  until(send: SendHalf): number {
    return Math.max(this.#until, send.endsBy);
  }
}
