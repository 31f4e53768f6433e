// A TCP connection as the plain Duplex that Node's TLS runs over, made so that a cut is never taken for an end.
// The handshake and what an end without close_notify means are tls.ts's matter.

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { abortConnection } from '../../common/abort-connection.js';
import { NwsError } from '../../errors.js';
import type { Wire } from './end-watch.js';
import { linger } from './linger.js';

interface Chunk {
  readonly chunk: Buffer;
}

export class TcpWire extends Duplex implements Wire {
  readonly #socket: Socket;
  readonly #failed: (error: Error) => void;
  #isClean = false;
  #isAborted = false;

  /**
   * Takes over a socket that was made with `allowHalfOpen`. Its errors, and a close without an end, go to `failed`,
   * since TLS would not hand them on.
   */
  constructor(socket: Socket, failed: (error: Error) => void) {
    // Whoever uses the wire destroys it: TLS may still have to be read when both directions of TCP have ended.
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#socket = socket;
    this.#failed = failed;
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', failed);
    socket.once('close', () => this.#closed());
    if (socket.closed) process.nextTick(() => this.#closed());
  }

  markClean(): void {
    this.#isClean = true;
  }

  abort(): void {
    this.#isAborted = true;
  }

  #closed(): void {
    if (this.#socket.readableEnded && this.#socket.writableFinished) return;
    this.#failed(new NwsError('connection_terminated', 'the connection was closed in the middle'));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
    this.#socket.write(chunk, done);
  }

  override _writev(chunks: readonly Chunk[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    for (const [index, { chunk }] of chunks.entries()) {
      this.#socket.write(chunk, index === chunks.length - 1 ? done : undefined);
    }
    this.#socket.uncork();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  /** Resets the connection unless we have ended in order: the peer is to see an abort as one, and an end as a whole. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error !== null || this.#isAborted || !this.writableFinished) abortConnection(this.#socket);
    else if (this.#isClean) this.#socket.destroy();
    else linger(this.#socket);
    done(error);
  }
}
