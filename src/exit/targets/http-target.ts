// An http:// or https:// target: a reverse proxy for the streams of one exit.
//
//   entry ═ stream ─ TLS with the exit's certificate, or plain HTTP ─ http.Server ─ node:http's client ─ target
//
// Streams are accepted at once: a dead target is answered inside the TLS session, by http/reply.ts.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { tlsOver } from '../../common/tls-over-streams.js';
import { NwsError, toNwsError } from '../../errors.js';
import { forwardRequest } from '../../http/forward.js';
import { createFront, withoutH2c } from '../../http/h1/front.js';
import { headTooLarge, replyFailure, replyFailureRaw } from '../../http/reply.js';
import { forwardUpgrade, type UpgradeOptions } from '../../http/upgrade.js';
import { CLIENT_HEAD_TIMEOUT_MS } from '../../limits.js';
import type { ExitCertificate } from '../../tls/certificate.js';
import type { Failures } from '../../tunnel/accounts/failures.js';
import { splice } from '../../tunnel/duplex/splice.js';
import type { IncomingStream } from '../../tunnel/session.js';
import { dialHttp } from '../dial/dial.js';
import { answerEdit } from './answer-edit.js';
import { ANNOUNCED_IDLE_MS, Connections } from './connections.js';
import { Http2Target } from './http2-target.js';
import { targetHeaders, targetPath } from './request-edit.js';
import { authorityOf, type Target, type TargetServer } from './target.js';
import { TargetOut } from './target-out.js';

export interface HttpTargetOptions {
  readonly target: Target;
  readonly certificate: Pick<ExitCertificate, 'cert' | 'key'>;
  readonly log: Logger;
  /** Host toward the target: a value, or `target` for the target's own; default: the client's. */
  readonly hostHeader?: string | undefined;
  readonly idleMs?: number;
  /** Where failures of the target are told beside the log. */
  readonly failures?: Pick<Failures, 'note'> | undefined;
}

/** First byte of a TLS record that carries a handshake (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 0x16;
const HTTP2_PREFACE = 'PRI * HTTP/2.0';

export class HttpTarget implements TargetServer {
  readonly #options: HttpTargetOptions;
  readonly #out: TargetOut;
  readonly #server: Server;
  readonly #secureContext: SecureContext;
  readonly #connections: Connections;
  readonly #http2: Http2Target;

  constructor(options: HttpTargetOptions) {
    const { target, certificate, idleMs } = options;
    this.#options = options;
    this.#secureContext = createSecureContext({ ...certificate, minVersion: 'TLSv1.2' });
    this.#connections = new Connections(idleMs);
    this.#out = new TargetOut(target);
    this.#http2 = new Http2Target({
      target,
      out: this.#out,
      connections: this.#connections,
      edit: (req) => this.#edit(req),
      report: (req, error) => this.#report(req, error),
    });
    this.#server = createFront(
      {
        onRequest: (req, res) => this.#onRequest(req, res),
        onUpgrade: (req, socket, head) => this.#onUpgrade(req, socket, head),
        onClientError,
      },
      { keepAliveTimeout: ANNOUNCED_IDLE_MS }, // `Connections` keeps the time limits
    );
  }

  serve(incoming: IncomingStream): void {
    const stream = incoming.accept();
    stream.on('error', () => undefined);
    const timer = setTimeout(() => stream.destroy(), CLIENT_HEAD_TIMEOUT_MS);
    stream.once('close', () => clearTimeout(timer));
    const peek = (): void => {
      const bytes: Buffer | null = stream.read();
      if (bytes === null) return;
      clearTimeout(timer);
      stream.off('readable', peek).off('end', leave);
      const isTls = bytes[0] === TLS_HANDSHAKE;
      const isHttp1 = !isTls && !isHttp2(bytes);
      if (!isHttp1) stream.unshift(bytes);
      if (isTls) this.#secure(stream, incoming.peer);
      else {
        this.#connections.add(stream, incoming.peer);
        this.#speak(stream, !isHttp1);
      }
      if (isHttp1) stream.unshift(bytes);
    };
    const leave = (): void => {
      stream.end();
    };
    stream.on('readable', peek).once('end', leave);
  }

  /** Answers that are under way may end for `graceMs`; then everything is cut. */
  async close(graceMs: number): Promise<void> {
    await this.#connections.close(graceMs);
    this.#out.close();
  }

  #secure(stream: Duplex, entry: string): void {
    const options = {
      isServer: true,
      secureContext: this.#secureContext,
      ALPNProtocols: ['h2', 'http/1.1', 'http/1.0'],
    };
    const socket = tlsOver(stream, (below) => new TLSSocket(below, options));
    this.#connections.add(socket, entry);
    // Not documented, and the only sign of a broken record after the handshake on such a socket.
    socket.on('_tlsError', () => socket.destroy());
    socket.on('error', () => undefined).on('close', () => stream.destroy());
    // Until then nobody reads, and an end would not show.
    const breakOff = (): void => {
      socket.destroy();
    };
    stream.once('end', breakOff);
    socket.once('secure', () => {
      stream.off('end', breakOff);
      this.#speak(socket, socket.alpnProtocol === 'h2');
    });
  }

  #speak(socket: Duplex, isHttp2: boolean): void {
    if (isHttp2) this.#http2.serve(socket);
    else this.#server.emit('connection', socket);
  }

  #onRequest(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    this.#connections.begin(socket);
    res.once('close', () => this.#connections.finish(socket));
    const onError = (error: NwsError): void => {
      this.#report(req, error);
      replyFailure(res, error);
    };
    try {
      const edited = { path: targetPath(req.url, this.#options.target), headers: this.#edit(req) };
      forwardRequest(req, res, {
        ...edited,
        send: this.#out.send,
        editAnswer: answerEdit(this.#options.target, req.headers.host),
        onError,
      });
    } catch (error) {
      onError(toNwsError(error));
    }
  }

  #onUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#connections.begin(socket);
    const onError = (error: NwsError): void => {
      this.#report(req, error);
      replyFailureRaw(socket, error, req.headers.accept);
    };
    try {
      const path = targetPath(req.url, this.#options.target);
      const headers = this.#edit(req);
      forwardUpgrade(req, socket, head, {
        connect: (signal) => dialHttp(this.#options.target, { signal }),
        open: this.#openerFor(req, path, headers),
        path,
        headers,
        editAnswer: answerEdit(this.#options.target, req.headers.host),
        isLenient: true,
        onUpgrade: splice,
        onError,
      });
    } catch (error) {
      onError(toNwsError(error));
    }
  }

  /** HTTP/2 knows no Upgrade; for WebSockets it has streams. @throws NwsError `http_upgrade_failed` for others. */
  #openerFor(req: IncomingMessage, path: string, headers: string[]): UpgradeOptions['open'] {
    if (this.#options.target.kind !== 'h2c') return undefined;
    const protocol = withoutH2c(req.headers.upgrade);
    if (protocol.toLowerCase() === 'websocket') {
      return (signal) => this.#out.openWebSocket(path, headers, signal);
    }
    const message = `the target speaks HTTP/2, which has no Upgrade to ${protocol.slice(0, 40)}`;
    throw new NwsError('http_upgrade_failed', message, {
      hint: 'if it speaks HTTP/1.1, too, use http:// in --target',
    });
  }

  #edit(req: IncomingMessage): string[] {
    const { target, hostHeader } = this.#options;
    const own = authorityOf(target);
    return targetHeaders(req, {
      entry: this.#connections.entryOf(req.socket),
      host: hostHeader === 'target' ? own : (hostHeader ?? req.headers.host ?? own),
      prefix: target.path,
    });
  }

  #report(req: IncomingMessage, error: NwsError): void {
    const entry = this.#connections.entryOf(req.socket);
    this.#options.failures?.note(error, authorityOf(this.#options.target));
    this.#options.log.warn({ peer: entry, code: error.code, method: req.method }, error.message);
  }
}

/** A client that knows that we speak HTTP/2 says so by these words (RFC 9113, section 3.4). */
function isHttp2(bytes: Buffer): boolean {
  return bytes.subarray(0, HTTP2_PREFACE.length).toString('latin1') === HTTP2_PREFACE;
}

/** Bytes that are no HTTP: said once, without a log line, since anyone can send them. */
function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET') socket.destroy();
  else if (error.code === 'HPE_HEADER_OVERFLOW') replyFailureRaw(socket, headTooLarge());
  else replyFailureRaw(socket, new NwsError('http_request_error', 'the request is not valid HTTP'));
}
