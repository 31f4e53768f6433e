// Connections to origins by HTTP/1.1, kept for the next request. One that its origin ends, or that says something
// while nobody has asked, is dropped. Who opens them is the caller's choice.

import { Agent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';

/** Opens a way to the origin that `name` stands for. */
export type Connect = (name: string) => Promise<Duplex>;

/** Connections to one origin that are kept. */
const MAX_IDLE_PER_ORIGIN = 32;
/** Of all origins. */
const MAX_IDLE = 512;

/** What goes from a request to the agent besides node:http's own options. */
export interface NamedOptions extends ClientRequestArgs {
  readonly originName: string;
}

interface Idle {
  readonly timer: NodeJS.Timeout;
  readonly drop: () => void;
  readonly forget: () => void;
}

export class KeepingAgent extends Agent {
  readonly #idle = new Map<Duplex, Idle>();
  readonly #idleMs: number;

  /** @param idleMs how long they are kept; 0: for one request each, and the origin isn't told */
  constructor(connect: Connect, idleMs: number, options: AgentOptions = {}) {
    super({ keepAlive: true, maxFreeSockets: MAX_IDLE_PER_ORIGIN, ...options });
    this.#idleMs = idleMs;
    this.createConnection = (given, done) => {
      connect((given as unknown as NamedOptions).originName).then(
        (socket) => done?.(null, socket),
        (error: Error) => done?.(error, undefined as unknown as Duplex),
      );
      return undefined;
    };
  }

  override getName(options?: object): string {
    return (options as NamedOptions | undefined)?.originName ?? '';
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const idleMs = Math.min(this.#idleMs, announcedMs(socket));
    if (idleMs <= 0 || this.#idle.size >= MAX_IDLE || socket.readableEnded) return false;
    const drop = (): void => {
      socket.destroy();
    };
    const timer = setTimeout(drop, idleMs);
    const forget = (): void => this.#release(socket);
    this.#idle.set(socket, { timer, drop, forget });
    socket.on('data', drop).on('end', drop).on('error', drop).on('close', forget);
    socket.resume(); // else its end wouldn't show
    return true;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    this.#release(socket);
    // Node's agent takes its own listener off there, and calls `ref`, which only sockets of the system have.
    if (!('ref' in socket)) Object.assign(socket, { ref: () => socket });
    super.reuseSocket(socket, request);
  }

  #release(socket: Duplex): void {
    const idle = this.#idle.get(socket);
    if (idle === undefined) return;
    this.#idle.delete(socket);
    clearTimeout(idle.timer);
    socket.off('data', idle.drop).off('end', idle.drop).off('close', idle.forget);
    if (!socket.destroyed) socket.off('error', idle.drop);
  }
}

/** How long the origin said that it keeps the connection, less a moment for the way there. */
function announcedMs(socket: Duplex): number {
  const { _httpMessage: request } = socket as { _httpMessage?: { res?: Headed } };
  const hint = /\btimeout=(\d{1,9})/i.exec(request?.res?.headers['keep-alive'] ?? '');
  return hint === null ? Number.POSITIVE_INFINITY : Number(hint[1]) * 1_000 - 1_000;
}

interface Headed {
  readonly headers: { readonly 'keep-alive'?: string };
}
