// A client that speaks HTTP/2: the exchanges of a group are streams of one session, all at once.

import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import type { Door, View } from './client.js';
import { type Exchange, type Group, type Head, pathOf } from './plan.js';

export async function runStreams(
  door: Door,
  { exchanges }: Group,
  onView: (exchange: Exchange, view: View) => void,
): Promise<void> {
  const socket = await door.open();
  const session = connect(`https://${door.host}`, { createConnection: () => socket });
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  await Promise.all(
    exchanges.map(async (exchange) => onView(exchange, await ask(session, exchange))),
  );
  session.destroy();
}

async function ask(session: ClientHttp2Session, exchange: Exchange): Promise<View> {
  const { request, habit } = exchange;
  const stream = session.request(headersOf(exchange), { endStream: request.framing === 'none' });
  const interim: Head[] = [];
  const trailers: string[] = [];
  const parts: Buffer[] = [];
  let head: Head | undefined;
  let isLeft = false;
  const leave = (): void => {
    isLeft = true;
    stream.close(constants.NGHTTP2_CANCEL);
  };
  stream.on('error', () => undefined);
  stream.on('headers', (...[headers, , raw]: unknown[]) => {
    interim.push({ status: statusOf(headers), fields: plain(raw) });
  });
  stream.on('response', (...[headers, , raw]: unknown[]) => {
    head = { status: statusOf(headers), fields: plain(raw) };
  });
  stream.on('trailers', (...[, , raw]: unknown[]) => void trailers.push(...plain(raw)));
  const sent = send(stream, exchange, leave);
  const timer =
    habit.leavesAfterMs === undefined ? undefined : setTimeout(leave, habit.leavesAfterMs);
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  let bytes = 0;
  let hasEnded = false;
  stream.on('end', () => {
    hasEnded = true;
  });
  stream.on('data', (chunk: Buffer) => {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes >= (habit.leavesAtBytes ?? Number.POSITIVE_INFINITY)) leave();
    if (habit.reading === 'slow') {
      stream.pause();
      void pause(2).then(() => stream.resume());
    }
  });
  await closed;
  clearTimeout(timer);
  const isWhole = hasEnded && head !== undefined && stream.rstCode === constants.NGHTTP2_NO_ERROR;
  const end = isWhole ? 'whole' : isLeft ? 'left' : 'broken';
  const hasSentAll = await sent;
  return { interim, ...(head && { head }), body: Buffer.concat(parts), trailers, end, hasSentAll };
}

async function send(
  stream: ClientHttp2Stream,
  { request, habit }: Exchange,
  leave: () => void,
): Promise<boolean> {
  if (request.framing === 'none') return true;
  stream.write(request.body.subarray(0, habit.uploadsOnly));
  if (habit.uploadsOnly === undefined) stream.end();
  else setImmediate(leave);
  return habit.uploadsOnly === undefined;
}

function headersOf(exchange: Exchange): Record<string, string | string[]> {
  const { method, fields, framing, body, wantsTrailers } = exchange.request;
  const headers: Record<string, string | string[]> = {
    ':method': method,
    ':path': pathOf(exchange),
  };
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!.toLowerCase();
    headers[name] = [...(headers[name] ?? []), fields[at + 1]!];
  }
  if (framing === 'length') headers['content-length'] = String(body.length);
  if (wantsTrailers) headers.te = 'trailers';
  return headers;
}

const statusOf = (headers: unknown): number => (headers as { ':status': number })[':status'];

/** Fields without those of HTTP/2's own. */
function plain(raw: unknown): string[] {
  const pairs = raw as string[];
  return pairs.filter((_, at) => !pairs[at - (at % 2)]!.startsWith(':'));
}
