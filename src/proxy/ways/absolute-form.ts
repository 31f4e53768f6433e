// Requests in absolute form: `GET http://host/path` to the proxy port, sent on as the host expects them.
//
//   client ── absolute form ─┬─ http://….nostr   a stream, plain HTTP inside its encryption
//                            ├─ https://….nostr  a stream, pinned TLS
//                            └─ other ────────── directly, by an upstream proxy, or through an exit
//
// Forwarding itself is http/forward and http/upgrade.

import { createHmac, randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buildConnector } from 'undici';
import { prepareTlsOverStreams } from '../../common/tls-over-streams.js';
import { NwsError, toNwsError } from '../../errors.js';
import { forwardRequest } from '../../http/forward.js';
import { Http1Origins } from '../../http/h1/origins.js';
import { endToEnd, replaceHeaders, values } from '../../http/headers.js';
import { type AbsoluteTarget, formatHostPort, type HostPort } from '../../http/host-port.js';
import { replyFailure, replyFailureRaw } from '../../http/reply.js';
import { forwardUpgrade } from '../../http/upgrade.js';
import { DIAL_TIMEOUT_MS } from '../../limits.js';
import type { SpareRoute } from '../advance/spares.js';
import { join, logFailure } from '../caller.js';
import { clearnetDenied, dial, throughExit } from '../clearnet/clearnet.js';
import {
  connectProxy,
  connectThrough,
  loginRefused,
  proxyAuthorization,
} from '../clearnet/upstream.js';
import type { Entry } from '../entry.js';
import type { ResolvedHost } from '../resolve.js';
import { endWith } from '../streams.js';

/** Requests to one origin at once: about what an exit takes of one client. */
const MAX_REQUESTS = 500;
/** How long a connection without a request is kept. */
const KEEP_ALIVE_MS = 30_000;

type Origin = Pick<AbsoluteTarget, 'scheme' | 'host' | 'port'>;

interface ReachOptions {
  readonly signal: AbortSignal;
  /** Whether it must not be a connection that was there before: the exit may be gone, and nobody have heard of it yet. */
  readonly isFresh?: boolean;
  /** Whether an upstream proxy is to connect, rather than to forward plain requests. */
  readonly isTunnel?: boolean;
}

export class Forwarder {
  readonly #entry: Entry;
  readonly #closing = new AbortController();
  readonly #connectTls = buildConnector({ timeout: DIAL_TIMEOUT_MS });
  readonly #origins: Http1Origins;
  readonly #viaSecret = randomBytes(16);

  constructor(entry: Entry) {
    this.#entry = entry;
    setMaxListeners(0, this.#closing.signal);
    this.#origins = new Http1Origins({
      connect: (name) => this.#reach(originOf(name), { signal: this.#closing.signal }),
      connectFresh: (name) =>
        this.#reach(originOf(name), { signal: this.#closing.signal, isFresh: true }),
      idleMs: KEEP_ALIVE_MS,
      maxRequests: MAX_REQUESTS,
      isLenient: false,
    });
  }

  /** Forwards a request and its answer; failures are answered as CLI.md says. */
  request(target: AbsoluteTarget, req: IncomingMessage, res: ServerResponse): void {
    const onError = (error: NwsError): void => {
      logFailure(this.#entry, target.host, error);
      replyFailure(res, error);
    };
    try {
      // To a proxy, a plain request goes as it came; all else runs through it by CONNECT.
      const proxy = target.scheme === 'http' ? this.#upstreamFor(target) : undefined;
      const login = proxy && proxyAuthorization(proxy);
      const headers = this.#headers(target, req);
      if (login !== undefined) headers.push('Proxy-Authorization', login);
      const origin = `${target.scheme}://${formatHostPort(target).toLowerCase()}`;
      forwardRequest(req, res, {
        send: (head) => this.#origins.send(origin, head),
        path: proxy ? `http://${target.authority}${target.path}` : target.path,
        headers,
        judge: ({ statusCode }) => proxy && loginRefused(proxy, statusCode),
        onError,
      });
    } catch (error) {
      onError(toNwsError(error));
    }
  }

  /** The same for a request that asks for another protocol. */
  upgrade(target: AbsoluteTarget, req: IncomingMessage, client: Socket, head: Buffer): void {
    const onError = (error: NwsError): void => {
      logFailure(this.#entry, target.host, error);
      replyFailureRaw(client, error, req.headers.accept);
    };
    try {
      forwardUpgrade(req, client, head, {
        connect: (signal) => this.#reach(target, { signal, isFresh: true, isTunnel: true }),
        path: target.path,
        headers: this.#headers(target, req),
        onUpgrade: (side, origin) => join(this.#entry, target, side, origin),
        onError,
      });
    } catch (error) {
      onError(toNwsError(error));
    }
  }

  /** Ends all connections, requests on them included. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#origins.close();
  }

  /** @throws NwsError `http_request_denied` by settings, `proxy_loop_detected`. */
  #headers(target: AbsoluteTarget, req: IncomingMessage): string[] {
    const { resolver, clearnet } = this.#entry;
    if (clearnet === 'deny' && !resolver.isNostr(target.host)) throw clearnetDenied(target.host);
    const passed = values(req.rawHeaders, 'via');
    const via = this.#viaFor(target.host);
    if (passed.some((value) => value.includes(via))) {
      throw new NwsError('proxy_loop_detected', 'this request has been here before', {
        hint: 'two proxies send requests to each other',
      });
    }
    // The target says the host, whatever the Host field says (RFC 9112, section 3.2.2).
    const own = { Host: target.authority, Via: [...passed, via].join(', ') };
    return replaceHeaders(endToEnd(req.rawHeaders), own);
  }

  /** Our name in Via: another one for each host, so that no two exits can tell that they serve the same entry. */
  #viaFor(host: string): string {
    const digest = createHmac('sha256', this.#viaSecret).update(host.toLowerCase()).digest('hex');
    return `1.1 nws-${digest.slice(0, 12)}`;
  }

  async #reach(origin: Origin, options: ReachOptions): Promise<Duplex> {
    const { resolver, open } = this.#entry;
    const { scheme, host, port } = origin;
    const { signal, isTunnel = false } = options;
    if (!resolver.isNostr(host))
      return endWith(await this.#clearnet(origin, signal, isTunnel), signal);
    const to = await resolver.resolve(host);
    return scheme === 'http'
      ? endWith(await open(to, port, signal, true), signal)
      : this.#pinned(origin, to, options);
  }

  /** Here the proxy is the TLS client, so there is nobody else who could check the exit. */
  async #pinned(
    { host, port }: Origin,
    to: ResolvedHost,
    { signal, isFresh }: ReachOptions,
  ): Promise<Duplex> {
    const { pinned, spares } = this.#entry;
    const pin = await pinned.requirePin(to);
    const route: SpareRoute = { at: { host, port }, to, pin, alpn: ['http/1.1'] };
    const spare = isFresh ? undefined : await spares?.take(route);
    const socket = spare
      ? endWith(spare.socket.resume(), signal)
      : await pinned.connect({ ...route, port, signal });
    spares?.follow(route, socket);
    return socket;
  }

  async #clearnet(origin: Origin, signal: AbortSignal, isTunnel: boolean): Promise<Socket> {
    const { scheme } = origin;
    const host = origin.host.replace(/^\[(.*)\]$/, '$1');
    const to = { ...origin, host };
    const proxy = this.#upstreamFor(to);
    if (proxy && scheme === 'http' && !isTunnel) return connectProxy(proxy, signal);
    const way = proxy ? connectThrough(proxy, to, signal) : this.#way(to, signal);
    const stream = await way;
    return scheme === 'http' ? stream : this.#secure(to, stream);
  }

  async #way(to: HostPort, signal: AbortSignal): Promise<Socket> {
    if (this.#entry.clearnet !== 'exit') return dial(to, signal);
    // undici asks no more of a socket than a stream has.
    return (await throughExit(this.#entry, to, signal)) as Socket;
  }

  #upstreamFor({ scheme, host, port }: Origin): URL | undefined {
    const { clearnet, resolver, upstreamFor } = this.#entry;
    if (clearnet !== 'direct' || resolver.isNostr(host)) return undefined;
    return upstreamFor?.({ isSecure: scheme === 'https', host, port });
  }

  /** TLS over a way that is there, checked as Node does it. */
  async #secure({ scheme, host, port }: Origin, httpSocket: Socket): Promise<Socket> {
    const base = { hostname: host, protocol: `${scheme}:`, port: String(port), servername: host };
    return new Promise((resolve, reject) => {
      prepareTlsOverStreams();
      this.#connectTls({ ...base, httpSocket }, (error, socket) => {
        if (error) httpSocket.destroy();
        if (error) reject(error);
        else resolve(socket!);
      });
    });
  }
}

/** Reads `scheme://host:port`, as the requests' connections are named. */
function originOf(name: string): Origin {
  const { protocol, hostname, port } = new URL(name);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  return { scheme, host: hostname, port: Number(port) || (scheme === 'https' ? 443 : 80) };
}
