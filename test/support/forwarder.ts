// A loopback server that forwards every request by http/forward.ts to an origin of the test.

import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request, type Server } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { forwardRequest } from '../../src/http/forward.js';
import { Http1Origins } from '../../src/http/h1/origins.js';
import { Http2ClientRequest } from '../../src/http/h2/client-request.js';
import { Http2Sessions } from '../../src/http/h2/sessions.js';
import { endToEnd } from '../../src/http/headers.js';
import type { SendOut } from '../../src/http/outgoing.js';
import { replyFailure } from '../../src/http/reply.js';
import { readAll } from './read-all.js';
import { listen, listenHttp, type Running } from './servers.js';

export type OnHttp2Stream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export class Forwarder {
  /** Where requests are forwarded to; set by serve(). */
  originPort = 0;
  origin: Running<Server> | Running<Http2Server> | undefined;
  readonly #origins = new Http1Origins({
    connect: () => this.#dial(),
    idleMs: 10_000,
    maxRequests: 1_000,
    isLenient: false,
  });
  readonly #sessions = new Http2Sessions(() => this.#dial());
  #send: SendOut = (head) => this.#origins.send('origin', head);
  readonly #warnings: Error[] = [];
  readonly #onWarning = (warning: Error): number => this.#warnings.push(warning);
  #front: Running<Server> | undefined;

  static async start(): Promise<Forwarder> {
    const forwarder = new Forwarder();
    process.on('warning', forwarder.#onWarning);
    forwarder.#front = await listenHttp((req, res) =>
      forwardRequest(req, res, {
        send: (head) => forwarder.#send(head),
        path: req.url ?? '/',
        headers: endToEnd(req.rawHeaders),
        onError: (error) => replyFailure(res, error),
      }),
    );
    return forwarder;
  }

  get port(): number {
    return this.#front!.port;
  }

  /** Starts an origin. */
  async serve(listener: Parameters<typeof listenHttp>[0]): Promise<void> {
    this.origin = await listenHttp(listener);
    this.originPort = this.origin.port;
  }

  /** Starts an origin that speaks HTTP/2 alone. */
  async serveHttp2(onStream: OnHttp2Stream): Promise<void> {
    this.#send = (head) => new Http2ClientRequest(this.#sessions, { ...head, scheme: 'http' });
    this.origin = await listen(createHttp2Server().on('stream', onStream));
    this.originPort = this.origin.port;
  }

  /** A request whose body is to be written by the test. */
  send(options: RequestOptions = {}) {
    const outgoing = request({ port: this.port, host: '127.0.0.1', agent: false, ...options });
    const answer = once(outgoing, 'response').then(([res]) => res as IncomingMessage);
    outgoing.on('error', () => undefined); // a rejected answer tells as well
    answer.catch(() => undefined);
    return { outgoing, answer };
  }

  async get(options: RequestOptions = {}) {
    const { outgoing, answer } = this.send(options);
    outgoing.end();
    const res = await answer;
    return { res, body: await readAll(res) };
  }

  /** Ends everything; nothing may have drawn a warning of Node's, such as one about listeners. */
  async close(): Promise<void> {
    await this.#front?.close();
    await this.origin?.close();
    this.#origins.close();
    this.#sessions.close();
    process.off('warning', this.#onWarning);
    expect(this.#warnings).to.deep.equal([]);
  }

  async #dial(): Promise<Socket> {
    const port = this.originPort;
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  }
}
