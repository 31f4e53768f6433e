// A WebSocket that came as a stream of HTTP/2 (RFC 8441), toward an origin that knows it as an Upgrade of HTTP/1.1.
// Leaves the two-way copying to the caller.

import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NwsError, toNwsError } from '../../errors.js';
import { MAX_HEADER_BYTES } from '../../limits.js';
import { RESPONSE_HEAD_TIMEOUT_MS } from '../forward.js';
import { endToEnd, replaceHeaders } from '../headers.js';
import type { Http2Request } from './request.js';
import { Http2Response } from './response.js';

/** What a server proves that it has understood the key with (RFC 6455, section 1.3). */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface WebSocketOptions {
  /** Opens the way to the origin; given up with `signal`. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  readonly path: string;
  /** Raw end-to-end pairs. */
  readonly headers: readonly string[];
  /** Both sides speak from here; bytes that came early are still to be read. */
  readonly onUpgrade: (client: ServerHttp2Stream, origin: Duplex) => void;
  /** Called at most once, only while nothing has been answered: the caller replies. */
  readonly onError: (error: NwsError) => void;
}

/** An answer other than 101 is handed on as an ordinary one. */
export async function openWebSocket(req: Http2Request, options: WebSocketOptions): Promise<void> {
  const { stream } = req;
  const left = new AbortController();
  let origin: Duplex | undefined;
  stream.once('close', () => {
    left.abort();
    if (origin !== undefined && stream.rstCode !== 0) cut(origin);
  });
  try {
    origin = await options.connect(left.signal);
    if (left.signal.aborted) origin.destroy();
    else ask(req, origin, options);
  } catch (error) {
    if (!left.signal.aborted) options.onError(toNwsError(error, 'http_upgrade_failed'));
  }
}

function ask(req: Http2Request, origin: Duplex, options: WebSocketOptions): void {
  const { path, headers, onUpgrade, onError } = options;
  const key = randomBytes(16).toString('base64');
  const asked = replaceHeaders(headers, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': key,
  });
  const outgoing = request({
    createConnection: () => origin,
    path,
    headers: asked,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  const late = new NwsError('connection_read_timeout', 'no answer to the upgrade request');
  const timer = setTimeout(() => outgoing.destroy(late), RESPONSE_HEAD_TIMEOUT_MS);
  outgoing.once('close', () => clearTimeout(timer));
  outgoing.on('error', (error) => {
    origin.destroy();
    onError(toNwsError(error, 'http_upgrade_failed'));
  });
  outgoing.once('response', (answer) =>
    answered(() => relay(answer, req, origin), origin, onError),
  );
  outgoing.once('upgrade', (answer, _socket, early) => {
    clearTimeout(timer);
    if (answer.headers['sec-websocket-accept'] !== acceptOf(key)) {
      origin.destroy();
      onError(new NwsError('http_upgrade_failed', 'the target does not answer as a WebSocket'));
      return;
    }
    if (early.length > 0) origin.unshift(early);
    if (answered(() => respond(answer, req), origin, onError)) onUpgrade(req.stream, origin);
  });
  outgoing.end();
}

/** Whether HTTP/2 has a way to say the answer. */
function answered(say: () => void, origin: Duplex, onError: (error: NwsError) => void): boolean {
  try {
    say();
    return true;
  } catch (error) {
    origin.destroy();
    onError(toNwsError(error, 'http_protocol_error'));
    return false;
  }
}

function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + KEY_SUFFIX)
    .digest('base64');
}

function respond(answer: IncomingMessage, req: Http2Request): void {
  const headers = replaceHeaders(endToEnd(answer.rawHeaders), {
    'Sec-WebSocket-Accept': undefined,
  });
  new Http2Response(req).respond(200, headers);
}

function relay(answer: IncomingMessage, req: Http2Request, origin: Duplex): void {
  const res = new Http2Response(req);
  res.respond(answer.statusCode ?? 502, endToEnd(answer.rawHeaders));
  answer.once('close', () => {
    if (!answer.complete) res.destroy();
    origin.destroy();
  });
  answer.on('error', () => undefined).pipe(res);
  req.resume();
}

/** A client that broke off doesn't look like one that ended. */
function cut(origin: Duplex): void {
  if (origin instanceof Socket) origin.resetAndDestroy();
  else origin.destroy();
}
