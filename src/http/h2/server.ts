// The server's side of HTTP/2 on one connection, which any stream can be.

import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { SERVER_OPTIONS, SESSION_WINDOW_BYTES } from './bounds.js';
import { cutSession } from './cut.js';
import { shareUploadWindow, watchUnread } from './uploads.js';

/** Requests of one session that may be given up at once, and by the second on average. */
const MAX_RESETS = 500;
const RESETS_PER_S = 50;

export type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
) => void;

/**
 * Speaks HTTP/2 on `socket`, which has agreed on it. What breaks the protocol ends this connection and nothing else.
 * @param onStream gets each request that is still wanted
 */
export function serveHttp2(socket: Duplex, onStream: OnStream): ServerHttp2Session {
  // node:http2 would wait for an event that only tls.Server's own sockets have; this one has shaken hands.
  if ('secureConnecting' in socket) socket.secureConnecting = false;
  const resets = new Resets();
  const session = performServerHandshake(socket, SERVER_OPTIONS);
  socket.on('error', () => session.destroy());
  // On a connection that may be half open it would wait for more.
  socket.once('end', () => cutSession(session, constants.NGHTTP2_CANCEL));
  session.on('error', () => session.destroy());
  watchUnread(session);
  shareUploadWindow(session);
  if (!session.destroyed) session.setLocalWindowSize(SESSION_WINDOW_BYTES);
  session.on('stream', (stream, headers, _flags, raw?: readonly string[]) => {
    stream.on('error', () => undefined); // shows as 'close'
    const onReset = (): void => {
      if (resets.isOver()) cutSession(session, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    };
    // It may be reset by now: node:http2 tells of it a turn later.
    if (stream.destroyed || stream.closed) {
      onReset();
      return;
    }
    stream.once('aborted', onReset);
    onStream(stream, headers, raw ?? []);
  });
  return session;
}

/** Requests that a client has given up: a browser that leaves a page does so with dozens (CVE-2023-44487). */
class Resets {
  #left = MAX_RESETS;
  #at = performance.now();

  isOver(): boolean {
    const now = performance.now();
    this.#left = Math.min(MAX_RESETS, this.#left + ((now - this.#at) * RESETS_PER_S) / 1_000);
    this.#at = now;
    this.#left -= 1;
    return this.#left < 0;
  }
}

/** Lets requests that are being answered end, and takes no more. */
export function endHttp2(session: ServerHttp2Session): void {
  if (session.destroyed || session.closed) return;
  session.goaway(constants.NGHTTP2_NO_ERROR);
  session.close();
}
