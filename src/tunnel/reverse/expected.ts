// The keys that the reverse listener expects, and who gets them: the first to come or, with a secret, the first to
// prove it. Reading a key from a connection is waiting.ts's matter.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NwsError } from '../../errors.js';
import { TcpWire } from '../secured/tcp-wire.js';
import { secureAsServer, type Wire } from '../secured/tls.js';
import { ACCEPTED } from './dial.js';

/** How long a connection may take to come: the exit's dialling, the key and the handshake. */
const EXPECT_TIMEOUT_MS = 10_000;

const NO_ACCESS_HINT = 'is --public-address reachable from outside, e.g. by a port forwarding?';

export interface ExpectedLimits {
  /** Keys at once. */
  readonly maxExpected: number;
  /** Connections that may try to prove the secret of one key, failed ones included. */
  readonly maxTries: number;
  /** How long one of them may take. */
  readonly handshakeMs: number;
}

export interface ExpectOptions {
  /** Pre-shared key of the TLS inside, 32 bytes; without one the connection itself is the stream. */
  readonly secret?: Buffer | undefined;
  /** Until the connection has to be there and, with a secret, secured; default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Why a connection got nothing for its key. */
export type KeyRefusal = 'unknown_key' | 'too_many_tries' | 'tls_failed';

export interface ExpectedOptions {
  readonly limits: ExpectedLimits;
  readonly onAccepted: () => void;
  readonly onRefused: (reason: KeyRefusal) => void;
}

interface Expectation {
  readonly secret: Buffer | undefined;
  /** Connections that are proving the secret. */
  readonly trying: Set<Socket>;
  tries: number;
  /** Ends it, once: nobody else gets the key from here on. */
  readonly settle: (result: Duplex | NwsError) => void;
}

export class ReverseExpected {
  readonly #options: ExpectedOptions;
  readonly #byKey = new Map<string, Expectation>();

  constructor(options: ExpectedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** As `ReverseListener.expect`. */
  expect(key: string, options: ExpectOptions): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const { secret, timeoutMs = EXPECT_TIMEOUT_MS, signal } = options;
      if (signal?.aborted) return reject(givenUp());
      const objection = this.#objectionTo(key);
      if (objection !== undefined) return reject(objection);
      const settle = (result: Duplex | NwsError): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#byKey.delete(key);
        for (const socket of expectation.trying) socket.destroy();
        if (result instanceof NwsError) reject(result);
        else resolve(result);
      };
      const onAbort = (): void => settle(givenUp());
      const timer = setTimeout(() => settle(nobodyCame(timeoutMs)), timeoutMs);
      const expectation: Expectation = { secret, trying: new Set(), tries: 0, settle };
      this.#byKey.set(key, expectation);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Gives the connection what its key is good for, or closes it without a byte. */
  present(socket: Socket, key: string): void {
    const expectation = this.#byKey.get(key);
    if (expectation === undefined) this.#refuse(socket, 'unknown_key');
    else if (expectation.secret === undefined) this.#accept(socket, expectation);
    else void this.#secure(socket, key, expectation.secret, expectation);
  }

  close(error: NwsError): void {
    for (const expectation of this.#byKey.values()) expectation.settle(error);
  }

  #objectionTo(key: string): NwsError | undefined {
    const { maxExpected } = this.#options.limits;
    if (this.#byKey.has(key)) {
      return new NwsError('proxy_internal_error', 'a reverse connection with this key is expected');
    }
    if (this.#byKey.size < maxExpected) return undefined;
    return new NwsError('reverse_unreachable', `${maxExpected} reverse connections are expected`);
  }

  #accept(socket: Socket, expectation: Expectation): void {
    socket.write(Buffer.of(ACCEPTED));
    expectation.settle(socket);
    this.#options.onAccepted();
  }

  /**
   * The key is not used up before somebody has proven the secret: whoever only saw the key can't take it away. The
   * tries are bounded. When all have failed, waiting on would bring nothing.
   */
  async #secure(
    socket: Socket,
    key: string,
    secret: Buffer,
    expectation: Expectation,
  ): Promise<void> {
    const { maxTries, handshakeMs } = this.#options.limits;
    if (expectation.tries >= maxTries) return this.#refuse(socket, 'too_many_tries');
    expectation.tries += 1;
    expectation.trying.add(socket);
    socket.write(Buffer.of(ACCEPTED));
    try {
      const wire = (failed: (error: Error) => void): Wire => new TcpWire(socket, failed);
      const stream = await secureAsServer(wire, { key, secret, timeoutMs: handshakeMs });
      expectation.trying.delete(socket);
      if (!this.#isExpected(key, expectation)) return this.#refuse(stream, 'unknown_key');
      expectation.settle(stream);
      this.#options.onAccepted();
    } catch {
      expectation.trying.delete(socket);
      this.#options.onRefused('tls_failed');
      const isHopeless = expectation.tries >= maxTries && expectation.trying.size === 0;
      if (isHopeless && this.#isExpected(key, expectation)) expectation.settle(nobodyProved());
    }
  }

  #isExpected(key: string, expectation: Expectation): boolean {
    return this.#byKey.get(key) === expectation;
  }

  #refuse(connection: Duplex, reason: KeyRefusal): void {
    connection.destroy();
    this.#options.onRefused(reason);
  }
}

function nobodyCame(timeoutMs: number): NwsError {
  return new NwsError('reverse_unreachable', `the exit did not connect within ${timeoutMs} ms`, {
    hint: NO_ACCESS_HINT,
  });
}

function nobodyProved(): NwsError {
  return new NwsError('reverse_unreachable', 'no reverse connection could prove its secret', {
    hint: 'somebody between the exit and here may be interfering',
  });
}

function givenUp(): NwsError {
  return new NwsError('connection_terminated', 'the reverse connection is not wanted any more');
}
