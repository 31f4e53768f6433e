// For tests of reverse connections: a listener, connections to it, and somebody in the middle who sees and cuts.

import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type NetConnectOpts, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pino } from 'pino';
import { presentKey } from '../../../src/tunnel/reverse/dial.js';
import { type ReverseLimits, ReverseListener } from '../../../src/tunnel/reverse/listener.js';
import { listenTcp, type Running } from '../../support/servers.js';

export const newKey = (): string => randomUUID();
export const newSecret = (): Buffer => randomBytes(32);

export interface SceneOptions {
  readonly host?: string;
  readonly port?: number;
  readonly limits?: Partial<ReverseLimits>;
  /** Gets the log's lines, from `debug` on. */
  readonly onLog?: (line: string) => void;
}

export interface Pair {
  /** What the entry got, and what the exit got. */
  readonly entry: Duplex;
  readonly exit: Duplex;
}

/** A reverse listener, and everything that connects to it. */
export class Scene {
  readonly listener: ReverseListener;
  readonly #sockets = new Set<Socket>();

  private constructor(listener: ReverseListener) {
    this.listener = listener;
  }

  static async start({ host = '127.0.0.1', port = 0, limits = {}, onLog }: SceneOptions = {}) {
    const log = pino({ level: onLog ? 'debug' : 'silent' }, { write: onLog ?? (() => undefined) });
    return new Scene(await ReverseListener.start({ listen: { host, port }, limits, log }));
  }

  async dial(options: Partial<NetConnectOpts> = {}): Promise<Socket> {
    const { host, port } = this.listener.address;
    const socket = connect({ host, port, allowHalfOpen: true, ...options });
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    await once(socket, 'connect');
    return socket;
  }

  /** A stream that both sides have agreed on. */
  async pair(secret?: Buffer, socket?: Socket): Promise<Pair> {
    const key = newKey();
    const expected = this.listener.expect(key, { secret });
    const presented = presentKey(socket ?? (await this.dial()), key, secret);
    const [entry, exit] = await Promise.all([expected, presented]);
    return { entry, exit };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.listener.close();
  }
}

/** What a connection is sent until the other side ends or closes it, in whatever way. */
export async function bytesUntilClose(socket: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => socket.end());
  if (socket.readableEnded) socket.end();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks);
}

/** Somebody on the path between the exit and the listener. */
export class Middle {
  readonly #running: Running<Server>;
  /** Everything that was seen, of both directions. */
  readonly seen: Buffer[] = [];
  /** The connections to the exit and to the listener. */
  exitSide: Socket | undefined;
  entrySide: Socket | undefined;

  private constructor(running: Running<Server>) {
    this.#running = running;
  }

  static async start(scene: Scene): Promise<Middle> {
    const middle: Middle = new Middle(
      await listenTcp(async (socket) => {
        middle.exitSide = socket;
        middle.entrySide = await scene.dial();
        for (const [from, to] of [
          [socket, middle.entrySide],
          [middle.entrySide, socket],
        ] as const) {
          from.on('data', (chunk: Buffer) => middle.seen.push(chunk));
          from.pipe(to);
          // What one side aborts, the other one has to see as aborted.
          from.once('close', (hasFailed) => {
            if (hasFailed || !from.readableEnded) to.resetAndDestroy();
          });
          from.on('error', () => undefined);
        }
      }),
    );
    return middle;
  }

  get port(): number {
    return this.#running.port;
  }

  /** Ends the connection to one side, in TCP's orderly way, and forwards nothing more to it. */
  cut(side: 'entry' | 'exit'): void {
    const to = side === 'entry' ? this.entrySide : this.exitSide;
    const from = side === 'entry' ? this.exitSide : this.entrySide;
    from?.unpipe(to!);
    to?.end();
  }

  close(): Promise<void> {
    return this.#running.close();
  }
}
