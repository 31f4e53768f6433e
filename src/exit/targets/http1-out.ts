// Requests that came by HTTP/2, on their way out by HTTP/1.1.

import { Agent, request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Outgoing } from '../../http/h2/forward.js';
import type { Http2Request } from '../../http/h2/request.js';
import { MAX_HEADER_BYTES } from '../../limits.js';
import { dialHttp } from '../dial/dial.js';
import type { Target } from './target.js';

/** Where to, in the target's words. */
export interface Way {
  /** Path and query. */
  readonly path: string;
  /** Raw end-to-end pairs. */
  readonly headers: readonly string[];
}

export class Http1Out {
  readonly #agent: Agent;

  constructor(target: Target) {
    this.#agent = new Agent({ keepAlive: true, maxFreeSockets: 32 });
    this.#agent.createConnection = (_options, done) => {
      dialHttp(target).then(
        (socket) => done?.(null, socket),
        (error: Error) => done?.(error, undefined as unknown as Duplex),
      );
      return undefined;
    };
  }

  send(req: Http2Request, { path, headers }: Way): Outgoing {
    const isChunked = !req.complete && req.headers['content-length'] === undefined;
    const outgoing = request({
      agent: this.#agent,
      method: req.method,
      path,
      headers: isChunked ? [...headers, 'Transfer-Encoding', 'chunked'] : headers,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    outgoing.flushHeaders();
    return outgoing;
  }

  close(): void {
    this.#agent.destroy();
  }
}
