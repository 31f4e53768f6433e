// What passed between this process and its relays, for those who look at it: counts by relay that go on where a link
// is closed and made again. Judges nothing.

import type { Socket } from 'node:net';

/** Relays that are counted by name: their URLs become labels of metrics, and names of strangers may list any. */
const MAX_NAMED = 64;
/** Longest text of a relay that is kept, in characters. */
const MAX_REASON = 200;

export class LinkCounts {
  /** Connections that were made. */
  connects = 0;
  /** Events that were published; they may have been refused. */
  eventsSent = 0;
  eventsReceived = 0;
  /** Events that the relay said no to. */
  refusals = 0;
  /** The relay's reason for the last of them, and when it came, in Unix ms. */
  lastRefusal: { readonly reason: string; readonly at: number } | undefined;
  readonly #sockets = new Set<Socket>();
  #sent = 0;
  #received = 0;

  /** Of TCP, frames and all else included. */
  get bytesSent(): number {
    return this.#sent + sum(this.#sockets, ({ bytesWritten }) => bytesWritten);
  }

  get bytesReceived(): number {
    return this.#received + sum(this.#sockets, ({ bytesRead }) => bytesRead);
  }

  connected(socket: Socket): void {
    this.connects += 1;
    this.#sockets.add(socket);
    socket.once('close', () => {
      if (!this.#sockets.delete(socket)) return;
      this.#sent += socket.bytesWritten;
      this.#received += socket.bytesRead;
    });
  }

  refused(reason: string): void {
    this.refusals += 1;
    this.lastRefusal = { reason: reason.slice(0, MAX_REASON), at: Date.now() };
  }
}

/** The counts of all relays, the first of them by their URLs. */
export class RelayLedger {
  readonly #named = new Map<string, LinkCounts>();
  readonly #maxNamed: number;
  #others: LinkCounts | undefined;

  constructor(maxNamed = MAX_NAMED) {
    this.#maxNamed = maxNamed;
  }

  /** The counts that a relay's events belong to: its own, or those of all that came later. */
  of(url: string): LinkCounts {
    const known = this.#named.get(url);
    if (known !== undefined) return known;
    if (this.#named.size >= this.#maxNamed) return (this.#others ??= new LinkCounts());
    const counts = new LinkCounts();
    this.#named.set(url, counts);
    return counts;
  }

  /** URLs with their counts; `other` stands for all that have none of their own. */
  entries(): [relay: string, LinkCounts][] {
    return [
      ...this.#named,
      ...(this.#others ? [['other', this.#others] as [string, LinkCounts]] : []),
    ];
  }
}

function sum(sockets: Iterable<Socket>, bytes: (socket: Socket) => number): number {
  let total = 0;
  for (const socket of sockets) total += bytes(socket);
  return total;
}
