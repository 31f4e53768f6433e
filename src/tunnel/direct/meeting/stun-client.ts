// Asks STUN servers how we look from outside, on the socket that the path will use (RFC 8489). Which servers, and what
// the answers are good for, is candidates.ts's matter.

import { randomBytes } from 'node:crypto';
import { type Endpoint, sameEndpoint } from '../../../protocol/direct/endpoint.js';
import { decodeStun, encodeStunRequest, TRANSACTION_BYTES } from '../../../protocol/direct/stun.js';
import type { DirectSocket } from '../socket.js';

/** When a question goes out, in ms after the first time. */
const ASK_AT_MS = [0, 250, 600];
/** An answer that takes longer is none. */
export const STUN_TIMEOUT_MS = 1_200;
/** Questions that wait for their answers at once. */
const MAX_WAITING = 64;

interface Question {
  readonly server: Endpoint;
  readonly settle: (mapped: Endpoint | undefined) => void;
}

export class StunClient {
  readonly #socket: Pick<DirectSocket, 'send'>;
  /** By transaction id, in hex. */
  readonly #waiting = new Map<string, Question>();

  constructor(socket: Pick<DirectSocket, 'send' | 'onDatagram'>) {
    this.#socket = socket;
    socket.onDatagram((bytes, from) => this.#receive(bytes, from));
  }

  /** How the server sees this socket; undefined where it doesn't say in time. */
  ask(server: Endpoint): Promise<Endpoint | undefined> {
    if (this.#waiting.size >= MAX_WAITING) return Promise.resolve(undefined);
    const transaction = randomBytes(TRANSACTION_BYTES);
    const request = encodeStunRequest(transaction);
    return new Promise((resolve) => {
      const send = (): void => this.#socket.send(request, server);
      const timers = ASK_AT_MS.map((after) => setTimeout(send, after));
      const settle = (mapped: Endpoint | undefined): void => {
        for (const timer of timers) clearTimeout(timer);
        this.#waiting.delete(transaction.toString('hex'));
        resolve(mapped);
      };
      timers.push(setTimeout(() => settle(undefined), STUN_TIMEOUT_MS));
      this.#waiting.set(transaction.toString('hex'), { server, settle });
    });
  }

  close(): void {
    for (const { settle } of [...this.#waiting.values()]) settle(undefined);
  }

  #receive(bytes: Buffer, from: Endpoint): boolean {
    // Nobody is asked now: garbage isn't worth a look.
    if (this.#waiting.size === 0) return false;
    const message = decodeStun(bytes);
    if (message?.kind !== 'success') return false;
    const question = this.#waiting.get(message.transaction.toString('hex'));
    // Only whom we asked can know it, and only from there.
    if (question === undefined || !sameEndpoint(question.server, from)) return false;
    question.settle(message.mapped);
    return true;
  }
}
