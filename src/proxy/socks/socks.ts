// SOCKS5 on a connection to the proxy's port: the handshake, and then the same ways as for CONNECT. Names are resolved
// here, never by the client.

import type { Socket } from 'node:net';
import type { NwsError } from '../../errors.js';
import type { Authenticator } from '../../http/auth/auth.js';
import { CLIENT_HEAD_TIMEOUT_MS } from '../../limits.js';
import { type Answers, Caller } from '../caller.js';
import type { Entry } from '../entry.js';
import { ignoreErrors } from '../streams.js';
import { connect } from '../ways/connect.js';
import { Handshake, type Refused, type Step } from './handshake.js';
import { answer, REPLY, replyFor, SocksFault } from './messages.js';

/** How long a client may take to close its side behind a refusal. */
const LINGER_MS = 2_000;

export interface SocksOptions {
  readonly entry: Entry;
  /** Without it, whoever reaches the port may use it. */
  readonly authenticator?: Pick<Authenticator, 'check'> | undefined;
  /** How long a client may take for its side of the handshake. */
  readonly timeoutMs?: number | undefined;
}

const ANSWERS: Answers = {
  accept: (client) => void client.write(answer(REPLY.succeeded)),
  refuse: (client, failure) => endBehind(client, answer(replyFor(failure))),
};

/** Serves a connection. @param head what the client has said so far */
export function serveSocks(options: SocksOptions, client: Socket, head: Buffer): void {
  ignoreErrors(client);
  new SocksClient(options, client).start(head);
}

class SocksClient {
  readonly #entry: Entry;
  readonly #authenticator: SocksOptions['authenticator'];
  readonly #timeoutMs: number;
  readonly #client: Socket;
  readonly #handshake: Handshake;
  #timer: NodeJS.Timeout | undefined;
  #isJudging = false;

  constructor({ entry, authenticator, timeoutMs }: SocksOptions, client: Socket) {
    this.#entry = entry;
    this.#authenticator = authenticator;
    this.#timeoutMs = timeoutMs ?? CLIENT_HEAD_TIMEOUT_MS;
    this.#client = client;
    this.#handshake = new Handshake(authenticator !== undefined);
  }

  start(head: Buffer): void {
    this.#client.on('readable', this.#read).on('end', this.#leave).once('close', this.#stop);
    this.#startClock();
    this.#handshake.take(head);
    if (!this.#advance()) this.#read();
  }

  /** While a password is judged, what the client says further stays in its socket. */
  readonly #read = (): void => {
    while (!this.#isJudging) {
      const chunk: Buffer | null = this.#client.read();
      if (chunk === null) return;
      this.#handshake.take(chunk);
      if (this.#advance()) return;
    }
  };

  /** @returns whether it is over */
  #advance(): boolean {
    for (let step = this.#handshake.next(); step.kind !== 'wait'; step = this.#handshake.next()) {
      if (this.#do(step)) return true;
    }
    return false;
  }

  #do(step: Step): boolean {
    switch (step.kind) {
      case 'send':
        this.#client.write(step.bytes);
        return false;
      case 'login':
        void this.#judge(step.user, step.password);
        return false;
      case 'asked':
        this.#stop();
        void connect(this.#entry, new Caller(this.#client, step.rest, step.at, ANSWERS));
        return true;
      case 'refused':
        this.#refuse(step);
        return true;
      case 'wait':
        return false;
    }
  }

  async #judge(user: string, password: string): Promise<void> {
    clearTimeout(this.#timer);
    this.#isJudging = true;
    const { remoteAddress = '' } = this.#client;
    const isRight = (await this.#authenticator?.check(user, password, remoteAddress)) ?? false;
    if (this.#client.destroyed) return;
    this.#isJudging = false;
    this.#startClock();
    if (this.#do(this.#handshake.judged(isRight)) || this.#advance()) return;
    this.#read();
  }

  #startClock(): void {
    this.#timer = setTimeout(() => {
      const fault = new SocksFault('the client has not finished its SOCKS handshake');
      this.#refuse(this.#handshake.refuse(fault));
    }, this.#timeoutMs);
  }

  #refuse({ bytes, failure }: Refused): void {
    this.#stop();
    this.#log(failure);
    endBehind(this.#client, bytes);
  }

  #log(failure: NwsError): void {
    const { remoteAddress: address } = this.#client;
    this.#entry.log.info({ address, code: failure.code }, `SOCKS refused: ${failure.line}`);
  }

  readonly #leave = (): void => {
    this.#client.destroy();
  };

  /** Leaves the connection alone. */
  readonly #stop = (): void => {
    clearTimeout(this.#timer);
    this.#client.off('readable', this.#read).off('end', this.#leave).off('close', this.#stop);
  };
}

/** Says something last. What the client still sends is read for a moment: closing on it would take that along. */
function endBehind(client: Socket, bytes: Buffer): void {
  if (client.destroyed || !client.writable) return;
  client.end(bytes);
  const timer = setTimeout(() => client.destroy(), LINGER_MS);
  client.once('close', () => clearTimeout(timer)).resume();
}
