// The TCP connections of a stand-in exit to what it serves. What comes from there is sent piece by piece, each when
// the relays have the one before; nobody is told when it ends.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PIECE_BYTES } from './stream-end.js';

export class Backends {
  readonly #port: number;
  readonly #current = new Map<string, Socket>();
  readonly #sockets = new Set<Socket>();
  /** Connections made so far. */
  dialled = 0;

  /** @param port of loopback */
  constructor(port: number) {
    this.#port = port;
  }

  has(key: string): boolean {
    return this.#current.has(key);
  }

  /** A new connection for this stream. An earlier one stays, but gets nothing any more. */
  open(key: string, send: (piece: Buffer) => Promise<void>): void {
    const socket = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true });
    this.dialled += 1;
    this.#sockets.add(socket);
    this.#current.set(key, socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    // Cut off when the stand-in ends, which is no failure.
    void forward(socket, send).catch(() => undefined);
  }

  /** Bytes for a stream; for an unknown one they are lost. */
  write(key: string, data: Buffer): void {
    this.#current.get(key)?.write(data);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function forward(socket: Socket, send: (piece: Buffer) => Promise<void>): Promise<void> {
  while (!socket.readableEnded) {
    const length = Math.min(PIECE_BYTES, socket.readableLength);
    const piece = (length > 0 ? socket.read(length) : socket.read()) as Buffer | null;
    if (piece === null) await Promise.race([once(socket, 'readable'), once(socket, 'end')]);
    else await send(piece);
  }
}
