// What all streams of a process may hold in memory, shared evenly between the peers that need it.

import { TOTAL_FLIGHT_BYTES, TOTAL_WINDOW_BYTES } from '../../limits.js';
import { Budget } from '../../protocol/peer/budget.js';
import type { Memory } from '../../protocol/stream/receive-half.js';

export class SessionMemory {
  readonly #received = new Budget(TOTAL_WINDOW_BYTES);
  readonly #senders = new Set<object>();

  /** For what arrives from one peer and is not yet taken. */
  of(peer: object): Memory {
    return {
      take: (bytes, must) => this.#received.take(peer, bytes, must),
      give: (bytes) => this.#received.give(peer, bytes),
    };
  }

  /** Whether something is on its way to a peer, and has to be kept until it is acknowledged. */
  sending(peer: object, isSending: boolean): void {
    if (isSending) this.#senders.add(peer);
    else this.#senders.delete(peer);
  }

  /** What may be on its way to one peer, in bytes. */
  get flightShareBytes(): number {
    return TOTAL_FLIGHT_BYTES / Math.max(1, this.#senders.size);
  }
}
