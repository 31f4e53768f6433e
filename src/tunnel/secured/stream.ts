// A stream that goes past the relays, as both sides hand it on: an end that is certain to arrive, and no socket.
// Node takes a TLSSocket for a socket and lets a second TLS on top read past it, at the level where nobody sees
// whether it has ended in order or was cut (tls.ts).

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { abortConnection } from '../../common/abort-connection.js';
import { SocketLike } from '../duplex/socket-like.js';

/** How long a connection that has ended on our side, and is wanted no more, waits for the peer's end. */
const LINGER_MS = 5_000;

/** Some reads of a socket: records of TLS are small, and each turn of the event loop should move many. */
const BUFFER_BYTES = 256 * 1024;

interface Chunk {
  readonly chunk: Buffer;
}

export class SecuredStream extends SocketLike {
  readonly #inner: Duplex;

  /** @param inner a secured connection, or a bare one of NIP-443, of which nothing was read yet */
  constructor(inner: Duplex) {
    super({ allowHalfOpen: true, highWaterMark: BUFFER_BYTES });
    this.#inner = inner;
    // It may fail before anybody has it in hands, who then finds it destroyed.
    this.on('error', () => undefined);
    inner.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      if (!this.push(chunk)) inner.pause();
    });
    inner.once('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    if (inner.closed) process.nextTick(() => this.#innerClosed());
    else inner.once('close', () => this.#innerClosed());
  }

  #innerClosed(): void {
    const { readableEnded, writableFinished, errored } = this.#inner;
    // After an orderly end there may still be something to read here.
    if (!readableEnded || !writableFinished) this.destroy(errored ?? undefined);
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.bytesWritten += chunk.length;
    this.#inner.write(chunk, done);
  }

  /** All that waits in one go: TLS makes its records of it without a turn of the event loop for each. */
  override _writev(chunks: readonly Chunk[], done: (error?: Error | null) => void): void {
    this.#inner.cork();
    for (const [index, { chunk }] of chunks.entries()) {
      this.bytesWritten += chunk.length;
      this.#inner.write(chunk, index === chunks.length - 1 ? done : undefined);
    }
    this.#inner.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.end(done);
  }

  /** An abort is for the peer to see. After our end, it would take away what is still on its way there. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const inner = this.#inner;
    const isBegun = error !== null || this.bytesWritten > 0;
    if (error === null && this.writableFinished) linger(inner);
    // TLS sees to it by itself; a bare socket would just close.
    else if (isBegun && isBare(inner)) abortConnection(inner);
    else inner.destroy(error ?? undefined);
    done(error);
  }
}

function isBare(inner: Duplex): inner is Socket {
  return inner instanceof Socket && !(inner instanceof TLSSocket);
}

/** Reads on until the peer ends, too: a connection that is closed with something unread is reset. */
function linger(inner: Duplex): void {
  const timer = setTimeout(() => inner.destroy(), LINGER_MS).unref();
  inner.once('close', () => clearTimeout(timer));
  inner.removeAllListeners('data').resume();
}
