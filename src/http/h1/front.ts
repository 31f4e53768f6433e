// The server half of HTTP/1.x for proxy and exit: what HTTP allows a client to say and node:http's server refuses or
// answers by itself. What requests mean is up to the handlers.

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { MAX_HEADER_BYTES } from '../../limits.js';
import { hasBody, replaceHeaders, requestHead } from '../headers.js';
import { awaitContinue } from './continue.js';
import { RequestLines } from './request-lines.js';

export interface FrontHandlers {
  onRequest(req: IncomingMessage, res: ServerResponse): void;
  onUpgrade(req: IncomingMessage, client: Duplex, head: Buffer): void;
  /** Without it, CONNECT ends the connection. */
  onConnect?(req: IncomingMessage, client: Duplex, head: Buffer): void;
  onClientError(error: NodeJS.ErrnoException & { rawPacket?: Buffer }, client: Duplex): void;
}

/**
 * How much longer a connection is kept than clients are told: the request of one that still relies on it may be on its
 * way through relays.
 */
export const IDLE_SLACK_MS = 10_000;

/** From the end of a client's side until the system asks whether it is there at all, in milliseconds. */
const PROBE_MS = 1_000;

export function createFront(handlers: FrontHandlers, options: ServerOptions = {}): Server {
  const server = serverFor(handlers, options);
  const ordinary = serverFor(handlers, options);
  server.on('upgrade', (req, client, head) => {
    const lines = RequestLines.of(client);
    lines?.onHead(req);
    lines?.stop();
    client.off('end', onClientEnd);
    if (isUpgrade(req)) handlers.onUpgrade(req, client, head);
    else ignoreUpgrade(ordinary, req, client, head);
  });
  // The connection ends behind such a request: nobody keeps its time any longer.
  ordinary.prependListener('request', (_req, res: ServerResponse) => (res.shouldKeepAlive = false));
  return server;
}

function serverFor(handlers: FrontHandlers, options: ServerOptions): Server {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, ...options });
  server.maxHeadersCount = 0; // as many as fit: beyond a number node:http drops them without a word
  // A client may end its side behind its request (RFC 9112, section 9.6).
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket: Duplex) => {
    new RequestLines(socket);
    socket.once('end', onClientEnd);
  });
  server.on('request', (req, res) => {
    keepLonger(server, res);
    RequestLines.of(req.socket)?.onHead(req);
    handlers.onRequest(req, res);
  });
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    keepLonger(server, res);
    RequestLines.of(req.socket)?.onHead(req);
    awaitContinue(req);
    handlers.onRequest(req, res);
  });
  server.on('connect', (req, client, head) => {
    RequestLines.of(client)?.stop();
    client.off('end', onClientEnd);
    if (handlers.onConnect === undefined) client.destroy();
    else handlers.onConnect(req, client, head);
  });
  server.on('clientError', (error, client) => handlers.onClientError(error, client));
  return server;
}

/** Where node:http has begun to count the time for the next request, once this one is answered. */
function keepLonger(server: Server, res: ServerResponse): void {
  const { socket } = res.req;
  res.once('finish', () => {
    const { keepAliveTimeout } = server;
    if (keepAliveTimeout === 0 || (socket.timeout ?? 0) < keepAliveTimeout) return;
    socket.setTimeout(keepAliveTimeout + Math.min(IDLE_SLACK_MS, keepAliveTimeout));
  });
}

/**
 * In TLS it is the whole connection that a client ends (RFC 5246, section 7.2.1). In TCP it may still read its answer, or
 * be gone altogether, which shows when it is probed: the system answers for one that is gone for a minute at most.
 */
function onClientEnd(this: Duplex): void {
  if (this instanceof TLSSocket) this.end();
  else if (this instanceof Socket) this.setKeepAlive(true, PROBE_MS);
}

/**
 * h2c isn't handed on: HTTP/2 inside the connection would pass the fields by (RFC 9113 took it back). A request with a
 * body would have to be read before the switch.
 */
function isUpgrade(req: IncomingMessage): boolean {
  return !hasBody(req) && withoutH2c(req.headers.upgrade) !== '';
}

/** The protocols of an Upgrade field without h2c. */
export function withoutH2c(upgrade = ''): string {
  const protocols = upgrade.split(',').map((protocol) => protocol.trim());
  return protocols.filter((protocol) => !/^(h2c?)?$/i.test(protocol)).join(', ');
}

/** The server reads the request once more, now as one that asks for nothing (RFC 9110, section 7.8). */
function ignoreUpgrade(server: Server, req: IncomingMessage, client: Duplex, head: Buffer): void {
  const fields = replaceHeaders(req.rawHeaders, { Upgrade: undefined });
  const text = requestHead(req.method ?? 'GET', req.url ?? '/', fields);
  server.emit('connection', client);
  client.unshift(Buffer.concat([Buffer.from(text, 'latin1'), head]));
}
