// HTTP/2 in front of a target: the requests of clients' sessions, each edited and sent on in the version that the target
// speaks. The connections themselves, and HTTP/1.x, are http-target.ts's matter.

import type { IncomingMessage } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { NwsError, toNwsError } from '../../errors.js';
import { forwardRequest } from '../../http/forward.js';
import { awaitContinue } from '../../http/h1/continue.js';
import { respondFailure } from '../../http/h2/failure.js';
import { Http2Request } from '../../http/h2/request.js';
import { Http2Response } from '../../http/h2/response.js';
import { endHttp2, serveHttp2 } from '../../http/h2/server.js';
import { openWebSocket } from '../../http/h2/web-socket.js';
import { splice } from '../../tunnel/duplex/splice.js';
import { dialHttp } from '../dial/dial.js';
import { answerEdit } from './answer-edit.js';
import type { Connections } from './connections.js';
import { targetPath } from './request-edit.js';
import type { Target } from './target.js';
import type { TargetOut } from './target-out.js';

export interface Http2TargetOptions {
  readonly target: Target;
  readonly out: TargetOut;
  readonly connections: Connections;
  /** Fields toward the target. */
  readonly edit: (req: IncomingMessage) => string[];
  readonly report: (req: IncomingMessage, error: NwsError) => void;
}

export class Http2Target {
  readonly #options: Http2TargetOptions;

  constructor(options: Http2TargetOptions) {
    this.#options = options;
  }

  /** Serves a client's connection that has agreed on HTTP/2. */
  serve(socket: Duplex): void {
    const session = serveHttp2(socket, (...heard) => this.#onStream(socket, ...heard));
    this.#options.connections.endBy(socket, () => endHttp2(session));
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
    const onError = (cause: NwsError): void => {
      const error = this.#explained(cause);
      this.#options.report(asIncoming(req), error);
      respondFailure(stream, headers, error);
    };
    this.#forward(req, headers[':protocol'], onError).catch((error) => onError(toNwsError(error)));
  }

  /** A gRPC server behind http:// answers in frames, and its operator should know what to do. */
  #explained(error: NwsError): NwsError {
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    if (code !== 'HPE_INVALID_CONSTANT' || error.hint !== undefined) return error;
    const hint = 'a target that speaks HTTP/2 alone, as gRPC does, is given as h2c://';
    return new NwsError(error.code, error.message, { hint, cause: error.cause });
  }

  async #forward(
    req: Http2Request,
    protocol: unknown,
    onError: (error: NwsError) => void,
  ): Promise<void> {
    const { target, out, edit } = this.#options;
    const way = { path: targetPath(req.url, target), headers: edit(asIncoming(req)), onError };
    const isWebSocket = req.method === 'CONNECT';
    if (isWebSocket && protocol !== 'websocket') {
      throw new NwsError('http_request_error', 'CONNECT is for WebSockets alone here');
    }
    if (isWebSocket && target.kind !== 'h2c') {
      const connect = (signal: AbortSignal): Promise<Duplex> => dialHttp(target, { signal });
      await openWebSocket(req, { ...way, connect, onUpgrade: splice });
      return;
    }
    const send = await (isWebSocket ? out.sendWebSocket() : out.sendAsCame());
    if (req.stream.closed) return;
    if (req.headers.expect === '100-continue' && !req.complete) awaitContinue(req);
    const editAnswer = answerEdit(target, req.headers.host);
    forwardRequest(req, new Http2Response(req), { ...way, send, editAnswer });
  }
}

/** It has all that is read of one. */
function asIncoming(req: Http2Request): IncomingMessage {
  return req as unknown as IncomingMessage;
}
