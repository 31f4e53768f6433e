// A proxy as companies have one, on loopback: CONNECT and requests in absolute form, with a password where it is
// told so. Whatever host it is asked for, it connects to one port, so that names need no DNS.

import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { listen, type Running } from '../../support/servers.js';

export interface CompanyProxyOptions {
  /** `user:password` that it demands. */
  readonly login?: string;
  /** Certificate and key, for an https:// proxy. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Change `port` and `refusal` at any time. */
export class CompanyProxy {
  /** Where everything leads. */
  port = 0;
  /** Where CONNECT to port 443 leads, if elsewhere. */
  securePort: number | undefined;
  /** Status line that CONNECT is answered with, if not 200. */
  refusal: string | undefined;
  /** What was asked for: `CONNECT host:port`, `GET http://host/`. */
  readonly asked: string[] = [];
  /** The heads of all requests. */
  readonly heads: IncomingMessage['headers'][] = [];
  readonly #login: string | undefined;
  readonly #isSecure: boolean;
  readonly #ways = new Set<Duplex>();
  #running!: Running<Server>;

  private constructor({ login, tls }: CompanyProxyOptions) {
    this.#login = login;
    this.#isSecure = tls !== undefined;
  }

  static async start(options: CompanyProxyOptions = {}): Promise<CompanyProxy> {
    const proxy = new CompanyProxy(options);
    const serve = (req: IncomingMessage, res: ServerResponse): void => proxy.#forward(req, res);
    const server = options.tls ? createSecureServer(options.tls, serve) : createServer(serve);
    server.on('connect', (req, socket, head) => proxy.#connect(req, socket, head));
    proxy.#running = await listen(server as Server);
    return proxy;
  }

  /** As a variable names it. */
  get url(): string {
    const login = this.#login === undefined ? '' : `${this.#login}@`;
    return this.urlWith(login);
  }

  /** @param login with its `@`, as it stands in a URL */
  urlWith(login: string): string {
    return `${this.#isSecure ? 'https' : 'http'}://${login}localhost:${this.#running.port}`;
  }

  get host(): string {
    return `localhost:${this.#running.port}`;
  }

  async close(): Promise<void> {
    for (const way of this.#ways) way.destroy();
    await this.#running.close();
  }

  #admits(req: IncomingMessage): boolean {
    this.asked.push(`${req.method} ${req.url}`);
    this.heads.push(req.headers);
    if (this.#login === undefined) return true;
    const login = `Basic ${Buffer.from(decodeURIComponent(this.#login)).toString('base64')}`;
    return req.headers['proxy-authorization'] === login;
  }

  #forward(req: IncomingMessage, res: ServerResponse): void {
    if (!this.#admits(req)) {
      res.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="company"' }).end('who are you?');
      return;
    }
    const { pathname, search } = new URL(req.url!);
    const { method, headers } = req;
    const to = { port: this.port, method, headers, path: pathname + search, agent: false };
    const asked = request(to, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
    });
    req.pipe(asked.on('error', () => res.destroy()));
  }

  #connect(req: IncomingMessage, client: Duplex, head: Buffer): void {
    const line = this.#admits(req) ? this.refusal : '407 Proxy Authentication Required';
    if (line !== undefined) {
      client.end(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const port = (req.url?.endsWith(':443') ? this.securePort : undefined) ?? this.port;
    const way: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const side of [client, way]) {
      this.#ways.add(side);
      side.on('error', () => undefined).once('close', () => this.#ways.delete(side));
    }
    way.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      way.write(head);
      client.pipe(way).pipe(client);
    });
    client.once('close', () => way.destroy());
    way.once('close', () => client.destroy());
  }
}
