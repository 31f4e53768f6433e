// A stream that an entry asks the exit for, until it is accepted or refused.

import type { Duplex } from 'node:stream';
import type { NwsError } from '../errors.js';
import type { StreamState } from '../protocol/stream-state.js';
import type { Peer } from './peer.js';

export interface IncomingStream {
  /** The entry's pubkey, hex. */
  readonly peer: string;
  readonly key: string;
  /** What the entry asks for; believe nothing of it. */
  readonly destination: string;
  /** Aborted when the entry gives up before it has an answer. */
  readonly signal: AbortSignal;
  /** The target is there: the stream opens. One that the entry gave up meanwhile comes back destroyed. */
  accept(): Duplex;
  /** The stream is refused, with a reason that the entry hands on. */
  refuse(error: NwsError): void;
}

export class IncomingRequest implements IncomingStream {
  readonly #peer: Peer;
  readonly #stream: StreamState;
  readonly #gaveUp = new AbortController();

  constructor(peer: Peer, stream: StreamState) {
    this.#peer = peer;
    this.#stream = stream;
    peer.watch(stream, () => {
      if (stream.phase === 'over') this.#gaveUp.abort(stream.error);
    });
  }

  get peer(): string {
    return this.#peer.pubkey;
  }

  get key(): string {
    return this.#stream.key;
  }

  get destination(): string {
    return this.#stream.destination;
  }

  get signal(): AbortSignal {
    return this.#gaveUp.signal;
  }

  accept(): Duplex {
    this.#stream.accept(performance.now());
    const stream = this.#peer.attach(this.#stream);
    stream.sync();
    return stream;
  }

  refuse(error: NwsError): void {
    this.#stream.reset(error, performance.now());
    this.#peer.update();
  }
}
