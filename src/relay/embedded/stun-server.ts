// Answers STUN binding requests (RFC 8489) beside the embedded relay, so that who runs a relay runs all that looking
// for direct paths needs. One answer for a question, and few of them: nothing that is worth reflecting.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { NwsError, toNwsError } from '../../errors.js';
import { endpointOf } from '../../protocol/direct/endpoint.js';
import { decodeStun, encodeStunSuccess } from '../../protocol/direct/stun.js';
import { RateLimit } from '../../protocol/peer/rate-limit.js';

/** Answers a second: to everybody, and to one address. An answer has 32 bytes, or 44 with IPv6; a question 20. */
const ANSWERS_A_SECOND = 500;
const ANSWERS_A_SECOND_AND_ADDRESS = 20;

export interface StunServerOptions {
  /** Default: every address, IPv6 and IPv4. */
  readonly host?: string | undefined;
  readonly port: number;
}

export class StunServer {
  readonly #socket: Socket;
  readonly #answers = new RateLimit(ANSWERS_A_SECOND);
  /** Of this second, by address; no more of them than there are answers in a second. */
  readonly #byAddress = new Map<string, number>();
  #second = 0;

  private constructor(host: string) {
    this.#socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
    this.#socket.on('message', (bytes, from) => this.#answer(bytes, from));
  }

  /** @throws NwsError `address_in_use` */
  static async start({ host = '::', port }: StunServerOptions): Promise<StunServer> {
    const server = new StunServer(host);
    server.#socket.bind(port, host);
    try {
      await once(server.#socket, 'listening');
    } catch (cause) {
      const { code, message } = toNwsError(cause);
      server.#socket.close();
      if (code !== 'address_in_use') throw new NwsError(code, message, { cause });
      const hint = 'stop what uses it, choose another port, or leave --stun out';
      throw new NwsError(code, `UDP port ${port} on ${host} is taken`, { cause, hint });
    }
    // One answer that can't be sent is no reason to stop.
    server.#socket.on('error', () => undefined);
    return server;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  #answer(bytes: Buffer, { address, port }: RemoteInfo): void {
    const message = decodeStun(bytes);
    if (message?.kind !== 'request' || !this.#mayAnswer(address)) return;
    const mapped = endpointOf(address, port);
    if (mapped === undefined) return;
    const answer = encodeStunSuccess(message.transaction, mapped);
    this.#socket.send(answer, port, address, () => undefined);
  }

  #mayAnswer(address: string): boolean {
    const now = performance.now();
    if (!this.#answers.allows(now)) return false;
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) this.#byAddress.clear();
    this.#second = second;
    const count = (this.#byAddress.get(address) ?? 0) + 1;
    this.#byAddress.set(address, count);
    return count <= ANSWERS_A_SECOND_AND_ADDRESS;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
