// The peers of a session, by our key and theirs: how many there may be, and how long one stays that has
// nothing to do.

import type { Peer } from './peer.js';

/** Peers at once: a stranger with many keys must not fill the memory. */
const MAX_PEERS = 4_096;

export interface PeerTableOptions {
  /** How long a peer without streams and memories is kept, in ms. */
  readonly idleMs: number;
  /** A peer left the table. */
  readonly onDrop: (peer: Peer) => void;
}

export class PeerTable {
  readonly #options: PeerTableOptions;
  readonly #peers = new Map<string, Peer>();
  readonly #timers = new Map<Peer, NodeJS.Timeout>();

  constructor(options: PeerTableOptions) {
    this.#options = options;
  }

  /** Streams of all peers. */
  get streams(): number {
    let count = 0;
    for (const peer of this.#peers.values()) count += peer.state.streams.size;
    return count;
  }

  [Symbol.iterator](): IterableIterator<Peer> {
    return this.#peers.values();
  }

  /** The peer that `theirs` is to our key `ours`. */
  get(ours: string, theirs: string): Peer | undefined {
    return this.#peers.get(ours + theirs);
  }

  add(peer: Peer): void {
    this.#peers.set(idOf(peer), peer);
  }

  /** Makes sure that there is room for one more; a peer without streams makes way. */
  makeRoom(): boolean {
    if (this.#peers.size < MAX_PEERS) return true;
    for (const peer of this.#peers.values()) {
      if (peer.state.streams.size > 0) continue;
      this.drop(peer);
      return true;
    }
    return false;
  }

  /** Nothing is open or remembered: the peer goes after a while, unless it is kept. */
  idle(peer: Peer): void {
    if (this.#timers.has(peer) || !this.#peers.has(idOf(peer))) return;
    const drop = (): void => {
      this.#timers.delete(peer);
      if (peer.state.isIdle) this.drop(peer);
    };
    this.#timers.set(peer, setTimeout(drop, this.#options.idleMs).unref());
  }

  keep(peer: Peer): void {
    clearTimeout(this.#timers.get(peer));
    this.#timers.delete(peer);
  }

  drop(peer: Peer): void {
    this.keep(peer);
    peer.close();
    this.#peers.delete(idOf(peer));
    this.#options.onDrop(peer);
  }

  close(): void {
    for (const peer of this.#peers.values()) this.drop(peer);
  }
}

function idOf(peer: Peer): string {
  return peer.signer.pubkey + peer.pubkey;
}
