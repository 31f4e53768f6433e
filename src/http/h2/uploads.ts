// What clients upload. On its way toward us: one upload gets what fills a relay, many of a connection share that. Arrived and
// not read yet, over all sessions: node:http2 keeps it, up to a window for each stream, so the sum has a bound of its own.

import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { UPLOAD_WINDOW_BYTES, UPLOAD_WINDOWS_BYTES } from './bounds.js';
import { cutSession } from './cut.js';

/** Of all sessions of this process. Beyond it, the one that has most of it ends. */
export const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
/** How often is looked: what comes in between is bounded by what a tunnel carries. */
const INTERVAL_MS = 250;

const sessions = new Map<ServerHttp2Session, Set<ServerHttp2Stream>>();
let timer: NodeJS.Timeout | undefined;

export function watchUnread(session: ServerHttp2Session): void {
  const streams = new Set<ServerHttp2Stream>();
  sessions.set(session, streams);
  timer ??= setInterval(judge, INTERVAL_MS).unref();
  session.on('stream', (stream) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
  });
  session.once('close', () => {
    sessions.delete(session);
    if (sessions.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  });
}

function judge(): void {
  const sums = [...sessions].map(([session, streams]) => ({ session, unread: sumOf(streams) }));
  const total = sums.reduce((sum, { unread }) => sum + unread, 0);
  if (total <= MAX_UNREAD_BYTES) return;
  const worst = sums.reduce((most, each) => (each.unread > most.unread ? each : most));
  cutSession(worst.session, constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

function sumOf(streams: ReadonlySet<ServerHttp2Stream>): number {
  let bytes = 0;
  for (const { readableLength } of streams) bytes += readableLength;
  return bytes;
}

/** Tells the client with SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113, section 6.9.2), which changes open streams' windows, too. */
export function shareUploadWindow(session: ServerHttp2Session): void {
  let uploads = 0;
  let said = UPLOAD_WINDOW_BYTES;
  const settle = (): void => {
    const initialWindowSize = windowOf(uploads);
    if (initialWindowSize === said || session.closed || session.pendingSettingsAck) return;
    said = initialWindowSize;
    session.settings({ initialWindowSize });
  };
  // One at a time is on its way: what changed meanwhile is said when it is acknowledged.
  session.on('localSettings', settle);
  session.on('stream', (stream, _headers, flags) => {
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) return;
    uploads += 1;
    stream.once('close', () => {
      uploads -= 1;
      settle();
    });
    settle();
  });
}

/** In steps of two, so that it is seldom said. */
function windowOf(uploads: number): number {
  const sharers = 2 ** Math.ceil(Math.log2(Math.max(1, uploads)));
  return Math.min(UPLOAD_WINDOW_BYTES, UPLOAD_WINDOWS_BYTES / sharers);
}
