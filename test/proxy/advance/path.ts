// A way to a site on which connections die as those through an exit do that was started anew: when something is said.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { listen, type Running } from '../../support/servers.js';

export class Path {
  readonly port: number;
  readonly #running: Running<Server>;
  readonly #near = new Set<Socket>();
  readonly #doomed = new Set<Socket>();
  #lost = 0;

  private constructor(running: Running<Server>) {
    this.#running = running;
    this.port = running.port;
  }

  static async to(port: number): Promise<Path> {
    const server = createServer();
    const path = new Path(await listen(server));
    server.on('connection', (near) => path.#join(near, connect(port, '127.0.0.1')));
    return path;
  }

  /** Ends each of the present connections when something is said on it. Returns how much was. */
  doom(): () => number {
    for (const near of this.#near) this.#doomed.add(near);
    return () => this.#lost;
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  #join(near: Socket, far: Socket): void {
    this.#near.add(near);
    near.on('error', () => undefined).on('close', () => far.destroy());
    near.once('close', () => this.#near.delete(near));
    far.on('error', () => undefined).on('close', () => near.destroy());
    far.pipe(near);
    near.on('data', (bytes) => {
      if (!this.#doomed.has(near)) return void far.write(bytes);
      this.#lost += bytes.length;
      near.destroy();
    });
  }
}
