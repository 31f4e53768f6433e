// A stream that an entry asks the exit for, until it is accepted or refused.

import type { Duplex } from 'node:stream';
import type { NwsError } from '../../errors.js';
import type { StreamState } from '../../protocol/stream/stream-state.js';
import type { Peer } from '../peer.js';

export interface IncomingStream {
  /** The entry's pubkey, hex. */
  readonly peer: string;
  readonly key: string;
  /** What the entry asks for; believe nothing of it. */
  readonly destination: string;
  /** Where the entry waits for a connection that the bytes are to take; believe nothing of it either. */
  readonly reverse: { readonly address: string; readonly secret: Buffer | undefined } | undefined;
  /** Aborted when the entry gives up before it has an answer. */
  readonly signal: AbortSignal;
  /** Set where the bytes take a direct path. */
  readonly way?: 'direct' | undefined;
  /**
   * The target is there: the stream opens. One that the entry gave up meanwhile comes back destroyed.
   * @param over the connection to the entry, where it waits for one
   */
  accept(over?: Duplex): Duplex;
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
      // Without an error, it is over because it goes on elsewhere.
      if (stream.phase === 'over' && stream.error) this.#gaveUp.abort(stream.error);
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

  get reverse(): IncomingStream['reverse'] {
    const { reverse } = this.#stream;
    return reverse && { address: reverse.entryPublicAddress, secret: reverse.secret };
  }

  accept(over?: Duplex): Duplex {
    if (over !== undefined) return this.#handOver(over);
    this.#stream.accept(performance.now());
    const stream = this.#peer.attach(this.#stream);
    stream.sync();
    return stream;
  }

  /** The relays carry no more than the word that it is open. */
  #handOver(over: Duplex): Duplex {
    if (this.#stream.phase === 'over') over.destroy();
    else this.#stream.accept(performance.now());
    this.#peer.update();
    return over;
  }

  refuse(error: NwsError): void {
    this.#stream.reset(error, performance.now());
    this.#peer.update();
  }
}
