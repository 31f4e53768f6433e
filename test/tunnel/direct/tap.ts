// Somebody on the way between two sides: passes on what goes by, keeps some of it, and sends whatever else it likes from
// where the other side is.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Datagrams that are kept, the first ones. */
const MOST_KEPT = 2_000;

export class Tap {
  /** Of those that went to the entry. */
  readonly kept: Buffer[] = [];
  readonly #near = createSocket('udp4');
  readonly #far = createSocket('udp4');
  #entry: RemoteInfo | undefined;

  private constructor(exitPort: number) {
    this.#near.on('message', (bytes, from) => {
      this.#entry = from;
      this.#far.send(bytes, exitPort, '127.0.0.1');
    });
    this.#far.on('message', (bytes) => {
      if (this.kept.length < MOST_KEPT) this.kept.push(bytes);
      this.toEntry([bytes]);
    });
  }

  static async start(exitPort: number): Promise<Tap> {
    const tap = new Tap(exitPort);
    for (const socket of [tap.#near, tap.#far]) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    return tap;
  }

  /** What the entry takes for the exit's. */
  get port(): number {
    return this.#near.address().port;
  }

  get entryPort(): number {
    return this.#entry!.port;
  }

  /** Resolves when all are on their way. */
  toEntry(datagrams: readonly Buffer[], from: Socket = this.#near): Promise<unknown> {
    const sends = datagrams.map(
      (bytes) => new Promise((resolve) => from.send(bytes, this.entryPort, '127.0.0.1', resolve)),
    );
    return Promise.all(sends);
  }

  close(): void {
    this.#near.close();
    this.#far.close();
  }
}
