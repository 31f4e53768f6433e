// The TCP connections of a stand-in exit to what it serves. What comes from there is sent piece by piece, each when
// the relays have the one before; nobody is told when it ends. Or it takes a connection that the exit makes to the
// entry, and is left to TCP.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PIECE_BYTES } from './stream-end.js';

/** What an entry answers to a key that it waits for. */
export const ACCEPTED = 0x01;

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
    const socket = this.#dial();
    this.#current.set(key, socket);
    // Cut off when the stand-in ends, which is no failure.
    void forward(socket, send).catch(() => undefined);
  }

  /**
   * Shows the key to an entry that waits for it, and joins that connection to a new one of ours once the entry has
   * said yes. Nothing limits how long that may take, and nothing is tried instead.
   * @param address `host:port`
   */
  async reverse(key: string, address: string): Promise<void> {
    const { hostname: host, port } = new URL(`tcp://${address}`);
    const entry = this.#keep(
      connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true }),
    );
    entry.write(key);
    let answer: Buffer | null = null;
    while (answer === null) {
      await once(entry, 'readable');
      answer = entry.read(1) as Buffer | null;
    }
    if (answer[0] !== ACCEPTED) return;
    const backend = this.#dial();
    entry.on('close', () => backend.destroy());
    backend.on('close', () => entry.destroy());
    entry.pipe(backend).pipe(entry);
  }

  #dial(): Socket {
    this.dialled += 1;
    return this.#keep(
      connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }),
    );
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
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
