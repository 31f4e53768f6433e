// Who gets no WebSocket from the embedded relay, and what instead: the answers of web servers in front of relays.

import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RelayBehaviour } from './behaviour.js';

interface Answer {
  readonly status: number;
  readonly location?: string;
}

/** The answer to a request for a WebSocket that gets none. */
export function turnedAway(
  request: IncomingMessage,
  { redirect, wantsUserAgent }: RelayBehaviour,
): Answer | undefined {
  if (redirect !== undefined) return redirect;
  const isNamed = (request.headers['user-agent'] ?? '') !== '';
  return wantsUserAgent && !isNamed ? { status: 403 } : undefined;
}

export function refuseHandshake(socket: Duplex, { status, location }: Answer): void {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, 'Connection: close'];
  if (location !== undefined) lines.push(`Location: ${location}`);
  socket.on('error', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
}
