// A stream that goes past the relays, as both sides hand it on: an end that is certain to arrive, and no socket.
// Node takes a TLSSocket for a socket and lets a second TLS on top read past it, below JavaScript, where nobody sees
// whether it has ended in order or was cut. `carry` allows that, since it has the second one watched instead (end-watch).

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { abortConnection } from '../../common/abort-connection.js';
import type { Carrier } from '../../common/tls-over-streams.js';
import { SocketLike } from '../duplex/socket-like.js';
import { EndWatch } from './end-watch.js';
import { linger } from './linger.js';

export class SecuredStream extends SocketLike implements Carrier {
  readonly #inner: Duplex;
  /** TLS that takes the bytes past this stream. */
  #top: TLSSocket | undefined;

  /** @param inner a secured connection, or a bare one of NIP-443, of which nothing was read yet */
  constructor(inner: Duplex) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    // It may fail before anybody has it in hands, who then finds it destroyed.
    this.on('error', () => undefined);
    inner.on('data', this.#onData);
    inner.once('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    if (inner.closed) process.nextTick(() => this.#innerClosed());
    else inner.once('close', () => this.#innerClosed());
  }

  readonly #onData = (chunk: Buffer): void => {
    this.bytesRead += chunk.length;
    if (!this.push(chunk)) this.#inner.pause();
  };

  /** Where there is no TLS here, or it has ended already, the one on top is over this stream as over any other. */
  carry(make: (below: Duplex) => TLSSocket): TLSSocket {
    const inner = this.#inner;
    const watch = EndWatch.of(inner);
    if (!watch?.mayCarry || this.destroyed || this.writableLength > 0) return make(this);
    inner.off('data', this.#onData);
    const unread: Buffer | null = this.read();
    inner.pause();
    if (unread !== null) inner.unshift(unread);
    const top = make(inner);
    this.#top = top;
    watch.carry(top, () => {
      this.push(null);
      this.resume();
    });
    this.#countBy(inner as TLSSocket);
    return top;
  }

  #countBy(socket: TLSSocket): void {
    Object.defineProperties(this, {
      bytesRead: { get: () => socket.bytesRead },
      bytesWritten: { get: () => socket.bytesWritten },
    });
  }

  #innerClosed(): void {
    const { readableEnded, writableFinished, errored } = this.#inner;
    if (this.#top !== undefined) {
      if (this.#top.writableFinished) this.end(); // what was said there
      this.destroy(errored ?? undefined);
    }
    // After an orderly end there may still be something to read here.
    else if (!readableEnded || !writableFinished) this.destroy(errored ?? undefined);
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

  override _final(done: (error?: Error | null) => void): void {
    if (this.#top === undefined) this.#inner.end(done);
    else done();
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
