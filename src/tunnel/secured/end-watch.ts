// Tells the end of TLS on a wire from a cut. Node ends a TLS stream in the same way for close_notify, which only the peer
// can send, and for an end of what is below, such as TCP's FIN, which anybody on the path can cause. An end that comes
// before that of the wire is the former, any other would be a truncation (RFC 8446, section 6.1).

import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { NwsError } from '../../errors.js';

/** What TLS runs over. It carries bytes in order; whether an end of it is one of TLS, too, is decided here. */
export interface Wire extends Duplex {
  /** To be called when TLS has seen the peer's close_notify: from then on nothing is missing. */
  markClean(): void;
  /**
   * To be called before it is destroyed where the peer is to see an abort, whatever has been said. A wire that has it
   * takes care by itself that after our end everything arrives.
   */
  abort?(): void;
}

const watches = new WeakMap<Duplex, EndWatch>();

export class EndWatch {
  readonly #tls: TLSSocket;
  readonly #wire: Wire;
  #hasEnded = false;

  /** @param tls over the wire, and nothing has been read of it */
  constructor(tls: TLSSocket, wire: Wire) {
    this.#tls = tls;
    this.#wire = wire;
    watches.set(tls, this);
    this.#watch(tls, () => undefined);
    tls._destroy = (error, done) => {
      if (error !== null) wire.abort?.();
      TLSSocket.prototype._destroy.call(tls, error, done);
    };
  }

  /** Of a secured connection. */
  static of(tls: Duplex): EndWatch | undefined {
    return watches.get(tls);
  }

  /** To be called ahead of TLS, and behind the last bytes: a close_notify among them has been seen. */
  wireEnded(): void {
    if (!this.#hasEnded) this.#tls.destroy(cut());
  }

  /** Whether other TLS may still take its bytes, below JavaScript. */
  get mayCarry(): boolean {
    return this.#wire.abort !== undefined && !this.#hasEnded && !this.#tls.destroyed;
  }

  /** Other TLS takes its bytes from here on: what the peer says there at last is the end. */
  carry(top: TLSSocket, onEnd: () => void): void {
    this.#watch(top, onEnd);
  }

  /** Ahead of whoever reads it. What ends because the connection is destroyed has no end. */
  #watch(tls: TLSSocket, onEnd: () => void): void {
    tls.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null) {
        if (this.#tls.destroyed) return false;
        this.#hasEnded = true;
        this.#wire.markClean();
        onEnd();
      }
      return TLSSocket.prototype.push.call(tls, chunk, encoding);
    };
  }
}

export function cut(): NwsError {
  return new NwsError('connection_terminated', 'the connection was cut before its end');
}
