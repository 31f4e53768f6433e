// One stream that is open, for those who look at it: where it leads, which way, what it has carried so far.

import type { Duplex } from 'node:stream';

/** What is known of a stream from the beginning. */
export interface StreamFacts {
  /** Its key, which is the same in the logs of both sides; unknown where it was never asked for. */
  readonly stream?: string | undefined;
  /** The other side's pubkey, hex. */
  readonly peer: string;
  /** Host and port that the client asked for; in events, of 256 characters at most. */
  readonly destination: string;
  /** How its bytes travel. */
  readonly way?: Way | undefined;
}

/** Over relays, or by a connection that the exit made to the entry. */
/** Over relays, over a connection that the exit made to the entry (CONNECTR), or over a direct path. */
export type Way = 'relay' | 'reverse' | 'direct';

/** Bytes from the client to the destination, and back. */
export interface Bytes {
  /** From the client. */
  readonly bytesUp: number;
  /** To it. */
  readonly bytesDown: number;
}

/** A stream that counts its own bytes, as sockets do. */
export type Counting = Duplex & { readonly bytesRead?: number; readonly bytesWritten?: number };

/** A destination is a stranger's text: so much of it is shown. */
const MAX_SHOWN = 256;

export class OpenStream {
  /** Of this process; the key is a peer's to choose. */
  readonly id: number;
  readonly key: string | undefined;
  readonly peer: string;
  readonly destination: string;
  readonly way: Way;
  /** Unix ms. */
  readonly openedAt = Date.now();
  readonly #openedAt = performance.now();
  readonly #stream: Counting;
  /** Whether what is read from it comes from the client. */
  readonly #readsUp: boolean;

  constructor(id: number, facts: StreamFacts, stream: Counting, role: 'entry' | 'exit') {
    this.id = id;
    const { stream: key, peer, destination, way } = shown(facts);
    this.key = key;
    this.peer = peer;
    this.destination = destination;
    this.way = way;
    this.#stream = stream;
    this.#readsUp = role === 'exit';
  }

  get bytes(): Bytes {
    const { bytesRead = 0, bytesWritten = 0 } = this.#stream;
    return this.#readsUp
      ? { bytesUp: bytesRead, bytesDown: bytesWritten }
      : { bytesUp: bytesWritten, bytesDown: bytesRead };
  }

  /** How long it has been open. */
  get ageMs(): number {
    return performance.now() - this.#openedAt;
  }
}

/** What is fit for logs and pages. */
export function shown({ stream, peer, destination, way = 'relay' }: StreamFacts): StreamFacts & {
  readonly way: Way;
} {
  return { stream, peer, destination: destination.slice(0, MAX_SHOWN), way };
}
