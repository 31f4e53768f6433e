// HTTP/2 in front of a target: the requests of clients' sessions, each edited and sent on in the version that the target
// speaks. The connections themselves, and HTTP/1.x, are http-target.ts's matter.

import type { IncomingMessage } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { NwsError, toNwsError } from '../../errors.js';
import { respondFailure } from '../../http/h2/failure.js';
import { joinHttp2 } from '../../http/h2/forward.js';
import { Http2Request } from '../../http/h2/request.js';
import { Http2Response } from '../../http/h2/response.js';
import { endHttp2, serveHttp2 } from '../../http/h2/server.js';
import { openWebSocket, type WebSocketOptions } from '../../http/h2/web-socket.js';
import { splice } from '../../tunnel/duplex/splice.js';
import { dialHttp } from '../dial/dial.js';
import type { Connections } from './connections.js';
import { Http1Out } from './http1-out.js';
import { Http2Out } from './http2-out.js';
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
  readonly #out: Http2Out;
  readonly #http1: Http1Out;

  constructor(options: Http2TargetOptions) {
    this.#options = options;
    this.#http1 = new Http1Out(options.target);
    this.#out = new Http2Out(options.target);
  }

  /** Serves a client's connection that has agreed on HTTP/2. */
  serve(socket: Duplex): void {
    const session = serveHttp2(socket, (...heard) => this.#onStream(socket, ...heard));
    this.#options.connections.endBy(socket, () => endHttp2(session));
  }

  close(): void {
    this.#out.close();
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
    this.#forward(req, headers[':protocol'], onError).catch((error) => onError(toNwsError(error)));
  }

  async #forward(
    req: Http2Request,
    protocol: unknown,
    onError: (error: NwsError) => void,
  ): Promise<void> {
    const { target, edit } = this.#options;
    const way = { path: targetPath(req.url, target), headers: edit(asIncoming(req)) };
    if (req.method === 'CONNECT') {
      await this.#connect(req, protocol, { ...way, onError });
      return;
    }
    const out = (await this.#out.speaksHttp2()) ? this.#out : this.#http1;
    if (!req.stream.closed) joinHttp2(req, new Http2Response(req), out.send(req, way), onError);
  }

  /** A stream that becomes a connection of its own: WebSockets alone. */
  async #connect(
    req: Http2Request,
    protocol: unknown,
    way: Pick<WebSocketOptions, 'path' | 'headers' | 'onError'>,
  ): Promise<void> {
    if (protocol !== 'websocket') {
      throw new NwsError('http_request_error', 'CONNECT is for WebSockets alone here');
    }
    const { target } = this.#options;
    if (target.kind === 'h2c') {
      const outgoing = await this.#out.openWebSocket(req, way);
      joinHttp2(req, new Http2Response(req), outgoing, way.onError);
    } else {
      const connect = (signal: AbortSignal): Promise<Duplex> => dialHttp(target, { signal });
      await openWebSocket(req, { ...way, connect, onUpgrade: splice });
    }
  }
}

/** It has all that is read of one. */
function asIncoming(req: Http2Request): IncomingMessage {
  return req as unknown as IncomingMessage;
}
