// A client's stream at the speed that the client is allowed: bytes wait, and so does whoever writes them.

import type { Duplex } from 'node:stream';
import { SocketLike } from '../tunnel/socket-like.js';
import type { Client } from './clients.js';

export class PacedStream extends SocketLike {
  readonly #inner: Duplex;
  readonly #client: Client;
  #wantsBytes = false;
  #readTimer: NodeJS.Timeout | undefined;
  #writeTimer: NodeJS.Timeout | undefined;

  constructor(inner: Duplex, client: Client) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    this.#client = client;
    inner.on('readable', () => this.#deliver());
    inner.once('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    // A connection of its own may have died while the destination was dialled.
    if (inner.closed) process.nextTick(() => this.#innerClosed());
    else inner.once('close', () => this.#innerClosed());
  }

  #innerClosed(): void {
    const { readableEnded, writableFinished, errored } = this.#inner;
    // After an orderly end there may still be something to read here.
    if (!readableEnded || !writableFinished) this.destroy(errored ?? undefined);
  }

  override _read(): void {
    this.#wantsBytes = true;
    this.#deliver();
  }

  #deliver(): void {
    while (this.#wantsBytes && this.#readTimer === undefined && !this.destroyed) {
      const chunk: Buffer | null = this.#inner.read();
      if (chunk === null) return;
      this.bytesRead += chunk.length;
      // Ahead of the reader, who may ask for more at once.
      this.#pause(chunk.length);
      this.#wantsBytes = this.push(chunk);
    }
  }

  #pause(bytes: number): void {
    const waitMs = this.#client.up.take(bytes, performance.now());
    if (waitMs < 1) return;
    this.#readTimer = setTimeout(() => {
      this.#readTimer = undefined;
      this.#deliver();
    }, waitMs);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.bytesWritten += chunk.length;
    const waitMs = this.#client.down.take(chunk.length, performance.now());
    this.#inner.write(chunk, (error) => {
      // The failure ends this stream, too; only what was taken counts as written.
      if (error || this.destroyed) return;
      if (waitMs < 1) callback();
      else this.#writeTimer = setTimeout(callback, waitMs);
    });
  }

  override _final(callback: () => void): void {
    this.#inner.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#readTimer);
    clearTimeout(this.#writeTimer);
    this.#inner.destroy(error ?? undefined);
    callback(error);
  }
}
