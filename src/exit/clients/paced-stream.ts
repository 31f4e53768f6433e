// A client's stream at the speed that the client is allowed: bytes wait, and so does whoever writes them.

import type { Duplex } from 'node:stream';
import { SocketLike } from '../../tunnel/duplex/socket-like.js';
import type { ByteRate } from './byte-rate.js';
import type { Client } from './clients.js';

/** No timer keeps a shorter time. */
const SHORTEST_WAIT_MS = 1;

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
      this.#readTimer = this.#wait(this.#client.up, () => {
        this.#readTimer = undefined;
        this.#deliver();
      });
      if (this.#readTimer !== undefined) return;
      const chunk: Buffer | null = this.#inner.read();
      if (chunk === null) return;
      this.#client.up.take(chunk.length, performance.now());
      this.bytesRead += chunk.length;
      this.#wantsBytes = this.push(chunk);
    }
  }

  /** Calls back when something may pass; undefined where it may at once. */
  #wait(rate: ByteRate, act: () => void): NodeJS.Timeout | undefined {
    const waitMs = rate.waitMs(performance.now());
    return waitMs < SHORTEST_WAIT_MS ? undefined : setTimeout(act, waitMs);
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: () => void): void {
    const { down } = this.#client;
    this.#writeTimer = this.#wait(down, () => this._write(chunk, encoding, callback));
    if (this.#writeTimer !== undefined) return;
    down.take(chunk.length, performance.now());
    this.bytesWritten += chunk.length;
    this.#inner.write(chunk, (error) => {
      // A failure of the inner stream ends this one, too.
      if (!error && !this.destroyed) callback();
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
