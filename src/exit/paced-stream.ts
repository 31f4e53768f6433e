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
    inner.once('close', () => {
      // After an orderly end there may still be something to read here.
      const isOver = inner.readableEnded && inner.writableFinished;
      if (!isOver) this.destroy(inner.errored ?? undefined);
    });
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
      this.#wantsBytes = this.push(chunk);
      this.#pause(chunk.length);
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
    const hasRoom = this.#inner.write(chunk);
    const waitMs = this.#client.down.take(chunk.length, performance.now());
    const go = (): void => {
      if (waitMs < 1) callback();
      else this.#writeTimer = setTimeout(callback, waitMs);
    };
    if (hasRoom) go();
    else this.#inner.once('drain', go);
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
