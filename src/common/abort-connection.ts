// Cuts a TCP connection so that its peer sees an abort, and can't take what it got for the whole.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Connections that TLS runs on: reset under a TLSSocket, Node's handle may stay open for ever, or worse. */
const underTls = new WeakSet<Socket>();

/** From here on TLS itself shows that the connection was cut. */
export function carriesTls(socket: Socket): void {
  underTls.add(socket);
}

/**
 * Resets the connection. While the system is at work on a socket's `end`, for a turn of the event loop, Node's
 * `resetAndDestroy` fails and leaves the connection open for ever: then it comes after that.
 */
export function abortConnection(socket: Socket): void {
  const { writableEnded, writableFinished, writableLength } = socket;
  const isEnding = writableEnded && !writableFinished && writableLength === 0;
  if (socket.destroyed) return;
  if (socket instanceof TLSSocket || underTls.has(socket)) return void socket.destroy();
  if (isEnding) socket.once('finish', () => abortConnection(socket));
  else socket.resetAndDestroy();
}
