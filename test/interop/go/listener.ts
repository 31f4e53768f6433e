// The public address of a stand-in entry of the Go program: exits connect to it, show the key of a stream in 36
// characters and get a byte for it; what follows is the stream. It shares nothing with src/.

import type { Server, Socket } from 'node:net';
import { listenTcp, type Running } from '../../support/servers.js';
import { ACCEPTED } from '../ground/backends.js';

const KEY_BYTES = 36;

export class GoListener {
  readonly #expected = new Map<string, (socket: Socket) => void>();
  #running!: Running<Server>;
  /** Connections so far. */
  connections = 0;

  static async start(): Promise<GoListener> {
    const listener = new GoListener();
    listener.#running = await listenTcp((socket) => listener.#take(socket));
    return listener;
  }

  /** `host:port` */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#running.port;
  }

  /** Resolves with the connection that shows the key; waits for it without end. */
  accept(key: string): Promise<Socket> {
    return new Promise((resolve) => this.#expected.set(key, resolve));
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  #take(socket: Socket): void {
    this.connections += 1;
    const read = (): void => {
      const bytes = socket.read(KEY_BYTES) as Buffer | null;
      if (bytes === null) return;
      socket.off('readable', read);
      const found = this.#expected.get(String(bytes));
      if (found === undefined) {
        socket.destroy();
        return;
      }
      socket.write(Buffer.of(ACCEPTED));
      found(socket);
    };
    socket.setNoDelay().on('readable', read);
  }
}
