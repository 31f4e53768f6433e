// What http, tls and undici call on a socket, and what has no meaning on a stream that is none.

import { Duplex } from 'node:stream';

export abstract class SocketLike extends Duplex {
  /** Bytes that were taken from the peer, and written to it. */
  bytesRead = 0;
  bytesWritten = 0;

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
