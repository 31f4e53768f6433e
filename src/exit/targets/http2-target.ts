// HTTP/2 in front of a target: the requests of clients' sessions, each edited and sent on in the version that the target
// speaks. The connections themselves, and HTTP/1.x, are http-target.ts's matter.

import type { IncomingMessage } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type NwsError, toNwsError } from '../../errors.js';
import { Http2ClientRequest } from '../../http/h2/client-request.js';
import { respondFailure } from '../../http/h2/failure.js';
import { joinHttp2, type Outgoing } from '../../http/h2/forward.js';
import { Http2Request } from '../../http/h2/request.js';
import { Http2Response } from '../../http/h2/response.js';
import { endHttp2, serveHttp2 } from '../../http/h2/server.js';
import { Http2Sessions } from '../../http/h2/sessions.js';
import { dialHttp } from '../dial/dial.js';
import type { Connections } from './connections.js';
import { Http1Out } from './http1-out.js';
import { targetPath } from './request-edit.js';
import type { Target } from './target.js';

export interface Http2TargetOptions {
  readonly target: Target;
  readonly connections: Connections;
  /** Fields toward the target. */
  readonly edit: (req: IncomingMessage) => string[];
  readonly report: (req: IncomingMessage, error: NwsError) => void;
}

export class Http2Target {
  readonly #options: Http2TargetOptions;
  readonly #sessions: Http2Sessions;
  readonly #http1: Http1Out;

  constructor(options: Http2TargetOptions) {
    this.#options = options;
    this.#http1 = new Http1Out(options.target);
    this.#sessions = new Http2Sessions(() =>
      dialHttp(options.target, { alpn: ['h2', 'http/1.1'] }),
    );
  }

  /** Serves a client's connection that has agreed on HTTP/2. */
  serve(socket: Duplex): void {
    const session = serveHttp2(socket, (...heard) => this.#onStream(socket, ...heard));
    this.#options.connections.endBy(socket, () => endHttp2(session));
  }

  close(): void {
    this.#sessions.close();
    this.#http1.close();
  }

  #onStream(
    socket: Duplex,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    raw: readonly string[],
  ): void {
    const { connections } = this.#options;
    connections.begin(socket);
    stream.once('close', () => connections.finish(socket));
    const req = new Http2Request(socket, stream, headers, raw);
    const onError = (error: NwsError): void => {
      this.#options.report(asIncoming(req), error);
      respondFailure(stream, headers, error);
    };
    try {
      joinHttp2(req, new Http2Response(req), this.#send(req), onError);
    } catch (error) {
      onError(toNwsError(error));
    }
  }

  #send(req: Http2Request): Outgoing {
    const { target, edit } = this.#options;
    if (target.kind !== 'h2c') {
      return this.#http1.send(req, targetPath(req.url, target), edit(asIncoming(req))) as Outgoing;
    }
    return new Http2ClientRequest({
      sessions: this.#sessions,
      scheme: 'http',
      method: req.method,
      path: targetPath(req.url, target),
      headers: edit(asIncoming(req)),
      isComplete: req.complete,
    });
  }
}

/** It has all that is read of one. */
function asIncoming(req: Http2Request): IncomingMessage {
  return req as unknown as IncomingMessage;
}
