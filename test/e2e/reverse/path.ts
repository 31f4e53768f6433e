// The way from exits to an entry's reverse listener, in the hands of a test: it writes down what passes, holds
// connections up and cuts them.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { RunningProxy } from '../../../src/index.js';
import { until } from '../../support/until.js';

type Address = NonNullable<RunningProxy['reverseAddress']>;

/** What is written down of each direction of a connection, in bytes. */
const MAX_SEEN_BYTES = 1024 * 1024;

/** One connection of an exit. */
export class Passage {
  readonly exitSide: Socket;
  #entrySide: Socket | undefined;
  readonly #seen = { fromExit: Buffer.alloc(0), fromEntry: Buffer.alloc(0) };

  constructor(exitSide: Socket) {
    this.exitSide = exitSide;
    this.#record('fromExit', exitSide);
  }

  /** The first bytes that each side has sent. */
  get seen(): { readonly fromExit: Buffer; readonly fromEntry: Buffer } {
    return this.#seen;
  }

  /** The key of the stream. */
  get key(): string {
    return this.#seen.fromExit.toString('latin1', 0, 36);
  }

  /** Leads on to the entry. */
  join(entrySide: Socket): void {
    this.#entrySide = entrySide;
    entrySide.on('error', () => undefined);
    this.#record('fromEntry', entrySide);
    for (const [from, to] of this.#directions) {
      from.pipe(to);
      // What one side aborts, the other one has to see as aborted.
      from.once('close', () => void (from.readableEnded || to.destroyed || to.resetAndDestroy()));
    }
  }

  /** Breaks it with TCP's reset, which both sides see. */
  reset(): void {
    for (const [from] of this.#directions) from.resetAndDestroy();
  }

  /** Ends it as TCP ends in order, wherever the bytes have got to. */
  end(): void {
    for (const [from, to] of this.#directions) from.unpipe(to).resume();
    for (const [from] of this.#directions) from.end();
  }

  get #directions(): [Socket, Socket][] {
    const { exitSide } = this;
    const entrySide = this.#entrySide;
    return entrySide === undefined
      ? []
      : [
          [exitSide, entrySide],
          [entrySide, exitSide],
        ];
  }

  #record(from: 'fromExit' | 'fromEntry', socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      if (this.#seen[from].length > MAX_SEEN_BYTES) return;
      this.#seen[from] = Buffer.concat([this.#seen[from], chunk]);
    });
  }
}

export class ReversePath {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #entry: Address | undefined;
  #isHeld = false;
  #held: Passage[] = [];
  /** Of all connections that exits have made so far. */
  readonly passages: Passage[] = [];

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#take(socket),
    );
  }

  static async start(host = '127.0.0.1'): Promise<ReversePath> {
    const path = new ReversePath();
    await new Promise<void>((resolve) => path.#server.listen(0, host, resolve));
    return path;
  }

  /** What exits are told. */
  get address(): Address {
    const { address: host, port } = this.#server.address() as AddressInfo;
    return { host, port };
  }

  /** Connections that are open, to both sides. */
  get connections(): number {
    return this.#sockets.size;
  }

  leadTo(entry: Address): void {
    this.#entry = entry;
  }

  /** New connections are taken, and lead nowhere until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const passage of this.#held.splice(0)) this.#lead(passage);
  }

  /** Resolves with connection number `count`, when its key has come. */
  async passage(count: number): Promise<Passage> {
    await until(() => this.passages[count - 1]?.key.length === 36);
    return this.passages[count - 1]!;
  }

  /** The same for the next one. */
  next(): Promise<Passage> {
    return this.passage(this.passages.length + 1);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #take(socket: Socket): void {
    this.#keep(socket);
    const passage = new Passage(socket);
    this.passages.push(passage);
    if (this.#isHeld) this.#held.push(passage);
    else this.#lead(passage);
  }

  #lead(passage: Passage): void {
    const entrySide = connect({ ...this.#entry!, allowHalfOpen: true, noDelay: true });
    this.#keep(entrySide);
    // Held up, it was read: what has come waits for its reader here.
    if (passage.seen.fromExit.length > 0) entrySide.write(passage.seen.fromExit);
    passage.join(entrySide);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }
}
