// Origins that speak HTTP/1.1, by node:http's client. How they are reached is the caller's matter.

import { request } from 'node:http';
import { NwsError } from '../../errors.js';
import { MAX_HEADER_BYTES } from '../../limits.js';
import type { Outgoing, OutgoingHead } from '../outgoing.js';
import { type Connect, KeepingAgent, type NamedOptions } from './agent.js';
import { AnswerHeads } from './answer-heads.js';

export interface Http1Options {
  readonly connect: Connect;
  /** For requests that must not go out on a connection that was there before; default: `connect`. */
  readonly connectFresh?: Connect;
  /** How long a connection without a request is kept. */
  readonly idleMs: number;
  /** Requests to one origin at once. */
  readonly maxRequests: number;
  /** Reads what breaks the letter of HTTP/1.1 and is still plain: for an operator's own target alone. */
  readonly isLenient: boolean;
}

/** Methods that mean no body unless one is announced. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);
const NO_BYTES = Buffer.alloc(0);

export class Http1Origins {
  readonly #options: Http1Options;
  readonly #kept: KeepingAgent;
  /** A connection for each request. */
  readonly #fresh: KeepingAgent;
  readonly #active = new Map<string, number>();

  constructor(options: Http1Options) {
    this.#options = options;
    const { connect, connectFresh = connect, isLenient, idleMs } = options;
    this.#kept = new KeepingAgent(isLenient ? mending(connect) : connect, idleMs);
    this.#fresh = new KeepingAgent(isLenient ? mending(connectFresh) : connectFresh, 0);
  }

  /**
   * Sends a request's head to an origin; its body is to be written.
   * @throws NwsError `connection_limit_reached`
   */
  send(name: string, head: OutgoingHead): Outgoing {
    const leave = this.#enter(name);
    const options: NamedOptions = {
      originName: name,
      agent: head.isFresh ? this.#fresh : this.#kept,
      method: head.method,
      path: head.path,
      headers: framed(head),
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: this.#options.isLenient,
    };
    try {
      const outgoing = request(options);
      outgoing.maxHeadersCount = 0; // as many as fit: none vanishes
      outgoing.once('close', leave).once('socket', AnswerHeads.expectOn);
      // No flushHeaders(): it would write the Latin-1 of the fields as UTF-8.
      if (head.hasBody && !head.expectsContinue) outgoing.write(NO_BYTES);
      return outgoing;
    } catch (error) {
      leave();
      throw new NwsError('http_request_error', 'the request can not be sent on', { cause: error });
    }
  }

  /** Ends all connections, requests on them included. */
  close(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }

  #enter(name: string): () => void {
    const active = this.#active.get(name) ?? 0;
    if (active >= this.#options.maxRequests) {
      throw new NwsError('connection_limit_reached', `${active} requests to this host are open`, {
        hint: 'close a tab or a stream of events, or try again in a moment',
      });
    }
    this.#active.set(name, active + 1);
    return () => {
      const left = this.#active.get(name)! - 1;
      if (left === 0) this.#active.delete(name);
      else this.#active.set(name, left);
    };
  }
}

function mending(connect: Connect): Connect {
  return async (name) => {
    const socket = await connect(name);
    new AnswerHeads(socket);
    return socket;
  };
}

/** The fields with how the body is framed, which node:http takes from them. */
function framed({ method, headers, hasBody, expectsContinue }: OutgoingHead): string[] {
  const fields = [...headers];
  const hasLength = fields.some((name, at) => at % 2 === 0 && /^content-length$/i.test(name));
  if (!hasLength && hasBody) fields.push('Transfer-Encoding', 'chunked');
  else if (!hasLength && !BODILESS.has(method)) fields.push('Content-Length', '0');
  if (expectsContinue) fields.push('Expect', '100-continue');
  return fields;
}
