// The stream for a CONNECT whose client hasn't said yet what it speaks: opened at once, or only when it is needed.

import type { Duplex } from 'node:stream';
import type { Caller } from '../caller.js';
import type { Entry } from '../entry.js';
import type { ResolvedHost } from '../resolve.js';
import { endWith } from '../streams.js';

/** A stream on its way. None of its promises is left without a handler. */
export class Opening {
  readonly to: Promise<ResolvedHost>;
  readonly #open: () => Promise<Duplex>;
  #stream: Promise<Duplex> | undefined;

  constructor({ resolver, open }: Entry, { at, signal }: Caller) {
    this.to = resolver.resolve(at.host);
    this.to.catch(ignore);
    // 200 is out already, so there is no need to wait for the exit's answer before the handshake.
    this.#open = async () => endWith(await open(await this.to, at.port, signal, true), signal);
  }

  get isBegun(): boolean {
    return this.#stream !== undefined;
  }

  /** Opens the stream, if nobody has asked for it before. Rejects with why there is none. */
  get stream(): Promise<Duplex> {
    if (this.#stream === undefined) {
      this.#stream = this.#open();
      this.#stream.catch(ignore);
    }
    return this.#stream;
  }

  /** Nobody needs it any more. */
  drop(): void {
    this.#stream?.then((stream) => stream.destroy(), ignore);
  }
}

function ignore(): void {
  // told where it is awaited
}
