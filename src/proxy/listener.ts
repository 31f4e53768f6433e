// The one port: an HTTP server with its bounds, SOCKS beside it, and every connection known until it is closed.
// What requests mean is up to the handlers.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { abortConnection } from '../common/abort-connection.js';
import { NwsError, OPEN_FILES_HINT, toNwsError } from '../errors.js';
import { createFront, type FrontHandlers } from '../http/h1/front.js';
import { formatHostPort, type HostPort } from '../http/host-port.js';
import { headTooLarge, replyFailureRaw } from '../http/reply.js';
import { CLIENT_HEAD_TIMEOUT_MS, MAX_STREAMS } from '../limits.js';
import { fittingFiles } from '../tunnel/open-files.js';
import { byFirstByte } from './first-byte.js';
import { isSocks } from './socks/messages.js';
import { ignoreErrors } from './streams.js';

export interface ListenerLimits {
  /** Clients' connections at once; a few more are told that there is no room, the rest closed as they come. */
  readonly maxConnections: number;
  /** How long a client may be silent after connecting, and then take to send a request head. */
  readonly headTimeoutMs: number;
  /** How often overdue request heads are looked for. */
  readonly headCheckMs: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveMs: number;
}

/** Connections beyond the limit that are answered at the same time. */
const ANSWERED = 16;

const LIMITS: Omit<ListenerLimits, 'maxConnections'> = {
  headTimeoutMs: CLIENT_HEAD_TIMEOUT_MS,
  headCheckMs: 5_000,
  keepAliveMs: 60_000,
};

/** Silence after which the system asks whether a client is still there. */
const PROBE_MS = 60_000;

/** First byte of TLS: an answer in HTTP would mean nothing to its clients. */
const TLS = 0x16;

export interface Handlers {
  /** A connection that begins like SOCKS. */
  onSocks(client: Socket, head: Buffer): void;
  onRequest(req: IncomingMessage, res: ServerResponse): void;
  onConnect(req: IncomingMessage, client: Socket, head: Buffer): void;
  onUpgrade(req: IncomingMessage, client: Socket, head: Buffer): void;
}

export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(handlers: Handlers, limits: ListenerLimits = defaultLimits()) {
    const handle = {
      onRequest: handlers.onRequest,
      onConnect: (req, client, head) => handlers.onConnect(req, asSocket(client), head),
      onUpgrade: (req, client, head) => handlers.onUpgrade(req, asSocket(client), head),
      onClientError,
    } satisfies FrontHandlers;
    this.#server = createFront(handle, {
      headersTimeout: limits.headTimeoutMs,
      connectionsCheckingInterval: limits.headCheckMs,
      requestTimeout: 0, // an upload takes what it takes
      keepAliveTimeout: limits.keepAliveMs,
      // To TCP: a client that only ended its side may have gone altogether, which shows when it is probed.
      keepAlive: true,
      keepAliveInitialDelay: PROBE_MS,
    });
    this.#server.maxConnections = limits.maxConnections + ANSWERED;
    byFirstByte(this.#server, limits.headTimeoutMs, (byte) => {
      if (this.#sockets.size > limits.maxConnections) return refuse;
      return isSocks(byte) ? handlers.onSocks : undefined;
    });
    this.#server.prependListener('connection', (socket) => this.#track(socket));
  }

  /** Clients that are connected. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** @throws NwsError `address_in_use`, or `bad_config` for an address that can't be listened on. */
  listen(listen: HostPort): Promise<HostPort> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(listen, error)));
      this.#server.listen(listen.port, listen.host, () => {
        const { address, port } = this.#server.address() as AddressInfo;
        resolve({ host: address, port });
      });
    });
  }

  /** Takes no more connections, ends the idle ones, gives the others `graceMs`, then cuts them off. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.keepAliveTimeout = 1; // for those that finish their request from here on
    // To the server, a connection that has yet to say something is not idle.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
    const timer = setTimeout(() => this.#cutOff(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** By a reset: nobody is to take what it got for the whole. */
  #cutOff(): void {
    for (const socket of this.#sockets) abortConnection(socket);
  }
}

function defaultLimits(): ListenerLimits {
  return { ...LIMITS, maxConnections: fittingFiles(MAX_STREAMS) };
}

/** Says to a client of HTTP that there is no room for it. */
function refuse(client: Socket, head: Buffer): void {
  if (head[0] === TLS || isSocks(head[0]!)) {
    client.destroy();
    return;
  }
  const hint = `wait until others have ended; or ${OPEN_FILES_HINT}`;
  const error = new NwsError('connection_limit_reached', 'too many connections to this proxy', {
    hint,
  });
  replyFailureRaw(client, error);
}

/** The server is never given anything but TCP connections; its types allow for more. */
function asSocket(stream: Duplex): Socket {
  return stream as Socket;
}

/** What the HTTP parser refuses, or who never sent a whole request head. */
function onClientError(
  error: NodeJS.ErrnoException & { rawPacket?: Buffer },
  stream: Duplex,
): void {
  const client = asSocket(stream);
  ignoreErrors(client);
  const failure = failureOf(error);
  if (failure === undefined || client.bytesWritten > 0 || !client.writable) {
    client.destroy();
    return;
  }
  replyFailureRaw(client, failure);
}

/** Undefined where nobody waits for an answer. */
function failureOf(error: NodeJS.ErrnoException & { rawPacket?: Buffer }): NwsError | undefined {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return headTooLarge();
  }
  const isHttp = error.code?.startsWith('HPE_') && error.rawPacket?.[0] !== TLS;
  if (!isHttp) return undefined;
  return new NwsError('http_request_error', 'this is not an HTTP request', {
    hint: 'the proxy speaks HTTP (CONNECT host:port, or GET http://host/) and SOCKS5',
  });
}

function cannotListen(listen: HostPort, error: NodeJS.ErrnoException): NwsError {
  const address = formatHostPort(listen);
  const { code } = toNwsError(error);
  if (code === 'address_in_use') {
    return new NwsError('address_in_use', `${address} is taken by another program`, {
      hint: 'choose another with --listen, e.g. --listen 127.0.0.1:0 for any free port',
      cause: error,
    });
  }
  return new NwsError('bad_config', `can't listen on ${address}: ${error.code ?? error.message}`, {
    hint: 'check --listen',
    cause: error,
  });
}
