// A web server in this process as an exit's target: each connection to it is a pair of streams in memory, no port.
// What such a server is asked, and may answer, is the same as of any target (targets/http-target.ts).

import { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { NwsError } from '../../errors.js';
import { SocketLike } from '../../tunnel/duplex/socket-like.js';
import type { Target } from '../targets/target.js';
import { type FetchHandler, fetchServer } from './fetch-server.js';

/** What `serve()` takes: node:http's server, which need not listen, or a function from Request to Response. */
export type Handler = Server | FetchHandler;

/**
 * The target that a handler is.
 * @throws NwsError `bad_config` for anything else than a handler.
 */
export function targetOf(handler: Handler): Target {
  const server = typeof handler === 'function' ? fetchServer(handler) : handler;
  if (!(server instanceof Server)) {
    throw new NwsError('bad_config', 'serve() takes an http.Server or a function', {
      hint: 'for an app of Express or the like: serve(createServer(app)), with createServer of node:http',
    });
  }
  return { kind: 'http', host: 'localhost', port: 80, path: '', open: () => connectTo(server) };
}

function connectTo(server: Server): Duplex {
  const near = new PairEnd({ allowHalfOpen: true });
  server.emit('connection', near.other);
  return near;
}

/** One end of a connection in memory. One that is cut cuts the other, too. */
class PairEnd extends SocketLike {
  readonly other: PairEnd;
  #proceed: (() => void) | undefined;

  constructor(options: { readonly allowHalfOpen: boolean }, other?: PairEnd) {
    super(options);
    this.other = other ?? new PairEnd(options, this);
  }

  override _read(): void {
    const proceed = this.#proceed;
    this.#proceed = undefined;
    proceed?.();
  }

  /** In a turn of its own, as with sockets: what the server's own code throws is not thrown at us. */
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytesWritten += chunk.length;
    setImmediate(() => this.#deliver(chunk, done));
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      if (!this.other.destroyed) this.other.push(null);
      done();
    });
  }

  #deliver(chunk: Buffer, done: () => void): void {
    const { other } = this;
    // One that has left takes what comes, and drops it.
    if (other.destroyed) return void done();
    other.bytesRead += chunk.length;
    other.#proceed = done;
    if (other.push(chunk)) other._read();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other, writableFinished } = this;
    const isOrderly = writableFinished && error === null;
    if (!isOrderly && !other.destroyed) {
      const cut = new NwsError('connection_terminated', 'the other side has left', {
        cause: error,
      });
      process.nextTick(() => other.destroy(cut));
    }
    this._read(); // whoever waits for room has it now
    done(error);
  }
}
