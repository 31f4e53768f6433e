// The reverse listener of an entry (PROTOCOL, "CONNECTR"): the port that exits connect back to, its bounds, counters
// and end. The exit's side is dial.ts; when to use it, and what to fall back on, is up to the caller.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { abortConnection } from '../../common/abort-connection.js';
import { NwsError, toNwsError } from '../../errors.js';
import { RateLimit } from '../../protocol/peer/rate-limit.js';
import { PROBE_MS } from './dial.js';
import {
  type ExpectedLimits,
  type ExpectOptions,
  type KeyRefusal,
  ReverseExpected,
} from './expected.js';
import { ReverseWaiting, type WaitingLimits, type WaitingRefusal } from './waiting.js';

export interface ReverseLimits extends WaitingLimits, ExpectedLimits {}

const LIMITS: ReverseLimits = {
  presentMs: 5_000, // an exit writes its key as soon as it is connected
  maxWaiting: 256,
  maxWaitingPerAddress: 128, // an exit may open many streams at once, and the system accepts them in one go
  maxExpected: 1_024,
  maxTries: 8,
  handshakeMs: 5_000,
};

/** Log lines about strangers: what they do is told in sums. */
const LOG_LINES_A_SECOND = 1;

export interface ReverseAddress {
  /** A name or an IP address; `::` is every interface, IPv4 as well. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

export type ReverseRefusal = WaitingRefusal | KeyRefusal;

export interface ReverseCounts {
  /** Streams that were handed over, so far. */
  readonly accepted: number;
  /** Connections that were not, so far. */
  readonly refused: Readonly<Record<ReverseRefusal, number>>;
  /** Connections now that have yet to present a key. */
  readonly waiting: number;
  /** Keys that are expected now. */
  readonly expected: number;
  /** Connections now, in whatever state. */
  readonly open: number;
}

export interface ReverseOptions {
  readonly listen: ReverseAddress;
  readonly log: Logger;
  readonly limits?: Partial<ReverseLimits>;
}

export class ReverseListener {
  readonly #server: Server;
  readonly #log: Logger;
  readonly #logLimit = new RateLimit(LOG_LINES_A_SECOND);
  readonly #sockets = new Set<Socket>();
  readonly #waiting: ReverseWaiting;
  readonly #expected: ReverseExpected;
  readonly #refused: Record<ReverseRefusal, number> = {
    too_slow: 0,
    crowded: 0,
    closed_early: 0,
    unknown_key: 0,
    too_many_tries: 0,
    tls_failed: 0,
  };
  #accepted = 0;
  #isClosed = false;

  private constructor(log: Logger, limits: ReverseLimits) {
    const onRefused = (reason: ReverseRefusal): void => this.#count(reason);
    const onAccepted = (): void => {
      this.#accepted += 1;
    };
    this.#log = log;
    this.#expected = new ReverseExpected({ limits, onAccepted, onRefused });
    const onKey = (socket: Socket, key: string): void => this.#expected.present(socket, key);
    this.#waiting = new ReverseWaiting({ limits, onKey, onRefused });
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_MS },
      (socket) => this.#take(socket),
    );
  }

  /** @throws NwsError `address_in_use`, or `bad_config` for an address that can't be listened on. */
  static async start({ listen, log, limits }: ReverseOptions): Promise<ReverseListener> {
    const listener = new ReverseListener(log, { ...LIMITS, ...limits });
    await listener.#listen(listen);
    return listener;
  }

  /** Where it listens; the port is the one that the system gave. */
  get address(): ReverseAddress {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  get counts(): ReverseCounts {
    return {
      accepted: this.#accepted,
      refused: { ...this.#refused },
      waiting: this.#waiting.size,
      expected: this.#expected.size,
      open: this.#sockets.size,
    };
  }

  /**
   * Resolves with the one connection that presents the key (36 ASCII characters) and, with a secret, proves it in a
   * TLS handshake. The stream is half-closable; its errors show as its `close`, too.
   * @throws NwsError `reverse_unreachable` when nobody did in time or too many keys are expected,
   *   `connection_terminated` when given up by `signal`, `shutting_down`.
   */
  async expect(key: string, options: ExpectOptions = {}): Promise<Duplex> {
    if (this.#isClosed) throw shuttingDown();
    return this.#expected.expect(key, options);
  }

  /** Takes no more connections, gives the streams `graceMs` to end by themselves, then cuts them off. */
  async close(graceMs = 0): Promise<void> {
    this.#isClosed = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#waiting.close();
    this.#expected.close(shuttingDown());
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) abortConnection(socket);
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  #listen(listen: ReverseAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(cannotListen(listen, error));
      this.#server.once('error', onError);
      this.#server.listen(listen.port, listen.host, () => {
        this.#server.off('error', onError);
        this.#server.on('error', (err) => this.#log.warn({ err }, 'reverse listener failed'));
        resolve();
      });
    });
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    // Accepted by the system while we were closing.
    if (this.#isClosed) socket.destroy();
    else this.#waiting.add(socket);
  }

  #count(reason: ReverseRefusal): void {
    this.#refused[reason] += 1;
    if (!this.#logLimit.allows(Date.now())) return;
    this.#log.debug({ refused: { ...this.#refused } }, 'refused reverse connections');
  }
}

function shuttingDown(): NwsError {
  return new NwsError('shutting_down', 'the proxy is shutting down');
}

function cannotListen({ host, port }: ReverseAddress, cause: Error): NwsError {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const { code, message } = toNwsError(cause);
  if (code === 'address_in_use') {
    return new NwsError(code, `${address} is taken by another program`, {
      hint: 'choose another with --reverse-listen',
      cause,
    });
  }
  return new NwsError('bad_config', `can't listen on ${address}: ${message}`, {
    hint: 'check --reverse-listen',
    cause,
  });
}
