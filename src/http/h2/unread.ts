// What clients have uploaded and nobody has read yet, over all their sessions: node:http2 keeps it, up to a window for
// each stream. Windows are wide for the sake of one upload, so the sum has a bound of its own.

import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
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
