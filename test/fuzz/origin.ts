// The seeded origin: raw sockets, a request read by hand, and the answer of its plan written as it stands.

import type { Server, Socket } from 'node:net';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { listenTcp, type Running } from '../support/servers.js';
import type { Answer, Exchange } from './plan.js';
import { RequestReader } from './request-reader.js';

/** What an origin has seen of one exchange. */
export interface Seen {
  count: number;
  /** Bytes of the body that came, the last time. */
  bodyBytes: number;
  /** The body came to its end by its framing. */
  isWhole: boolean;
  /** What is wrong with the request, if anything. */
  wrong: string | undefined;
}

export class Origin {
  readonly #running: Running<Server>;
  readonly #plans = new Map<number, Exchange>();
  readonly #seen = new Map<number, Seen>();
  /** Requests for nothing that was planned. */
  readonly strays: string[] = [];

  private constructor(running: Running<Server>) {
    this.#running = running;
  }

  static async start(): Promise<Origin> {
    const origin: Origin = new Origin(await listenTcp((socket) => void origin.#serve(socket)));
    return origin;
  }

  get port(): number {
    return this.#running.port;
  }

  get connections(): number {
    return this.#running.sockets.size;
  }

  expect(exchange: Exchange): void {
    this.#plans.set(exchange.id, exchange);
    this.#seen.set(exchange.id, { count: 0, bodyBytes: 0, isWhole: false, wrong: undefined });
  }

  seen(id: number): Seen {
    return this.#seen.get(id)!;
  }

  forget(id: number): void {
    this.#plans.delete(id);
    this.#seen.delete(id);
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  /** One request after another, until either side ends. */
  async #serve(socket: Socket): Promise<void> {
    socket.setNoDelay(true);
    const reader = new RequestReader(socket);
    while (!socket.destroyed) {
      const head = await reader.head();
      if (head === undefined) break;
      const exchange = this.#plans.get(Number(/^\/x\/(\d+)$/.exec(head.path)?.[1]));
      if (exchange === undefined) {
        this.strays.push(`${head.method} ${head.path}`);
        break;
      }
      const seen = this.#seen.get(exchange.id)!;
      seen.count += 1;
      seen.isWhole = false;
      const body = reader.body(exchange.request, head, seen);
      if (!(await answer(socket, exchange, reader, head.expectsContinue))) return;
      await body;
      if (!seen.isWhole) break;
    }
    // What can't be read on is left, as any server leaves it.
    if (!socket.writableEnded) socket.end();
    socket.resume();
  }
}

/** False where the connection ends with the answer. */
async function answer(
  socket: Socket,
  { answer: plan }: Exchange,
  reader: RequestReader,
  expectsContinue: boolean,
): Promise<boolean> {
  if (expectsContinue && plan.continues === 'asks') socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  if (!(await reader.hasRead(plan.afterBytes))) return true;
  await write(socket, plan);
  if (plan.end === 'keep') return true;
  if (plan.end === 'reset') socket.resetAndDestroy();
  // The rest of an upload is still read, so that no reset takes the answer along.
  if (plan.end === 'fin') socket.end();
  if (plan.end === 'silence' && socket.readableEnded) socket.end();
  // An answer that was whole all the same may have the next request behind it: nobody would ever answer that.
  if (plan.end === 'silence')
    socket.once('end', () => socket.end()).once('data', () => socket.end());
  return false;
}

async function write(socket: Socket, { wire, cuts, pauseMs }: Answer): Promise<void> {
  let from = 0;
  for (const to of [...cuts, wire.length]) {
    if (socket.destroyed) return;
    if (to > from) socket.write(wire.subarray(from, to));
    from = to;
    if (to === wire.length) return;
    if (pauseMs > 0 && cuts.length < 10) await pause(pauseMs);
    else await turn();
  }
}
