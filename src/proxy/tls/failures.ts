// Failures told inside a TLS session with the client: the same answer to whatever it asks, then the end.
// Nothing of what the client sends here goes anywhere.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { performServerHandshake } from 'node:http2';
import { duplexPair } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { NwsError } from '../../errors.js';
import { respondFailure } from '../../http/h2/failure.js';
import { replyFailure } from '../../http/reply.js';
import { MAX_HEADER_BYTES } from '../../limits.js';
import { splice } from '../../tunnel/duplex/splice.js';

/** How long a client may be silent here: it has its page, or asks for none. */
const ANSWER_TIMEOUT_MS = 10_000;

/** What failures can be told in. */
const SPOKEN = new Set(['h2', 'http/1.1', 'http/1.0']);

/** The protocol to tell a failure in: the first that the client offers, or none, which is HTTP/1.1. */
export function failureProtocol(offered: readonly string[]): string | undefined {
  return offered.find((protocol) => SPOKEN.has(protocol));
}

/** Answers every request on `socket`, which speaks the protocol of its ALPN, and closes it. */
export function answerFailure(socket: TLSSocket, failure: NwsError): void {
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
  if (socket.alpnProtocol === 'h2') answerHttp2(socket, failure);
  else answerHttp1(socket, failure);
}

function answerHttp1(socket: TLSSocket, failure: NwsError): void {
  const reply = (_req: IncomingMessage, res: ServerResponse): void => replyFailure(res, failure);
  // A server that never listens: it has no timers, and goes with its only connection.
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, reply);
  // An upload that asks before it sends is not told to go on.
  server.on('checkContinue', reply);
  server.emit('connection', socket);
}

function answerHttp2(socket: TLSSocket, failure: NwsError): void {
  // node:http2 would wait for an event that only tls.Server's own sockets have, so it sees no TLS socket.
  const [near, far] = duplexPair();
  splice(socket, near);
  const session = performServerHandshake(far);
  session.on('error', () => session.destroy());
  session.on('stream', (stream, headers) => {
    respondFailure(stream, headers, failure);
    session.close();
  });
}
