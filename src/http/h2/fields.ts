// Header lists between HTTP/1.x (raw pairs: name, value, …) and node:http2 (an object of lower-case names).
// Which fields may pass at all is headers.ts's matter; here it is how they are written.

import {
  constants,
  type Http2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { NwsError } from '../../errors.js';
import type { RawHeaders } from '../headers.js';

/** Of these a second one means nothing: the first stays, as node:http has it. Others are lists (RFC 9110, 5.3). */
const SINGLE = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'date',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'user-agent',
]);

/** What has no place in HTTP/2 (RFC 9113, 8.2.2); Host is `:authority` there. `TE: trailers` alone may stay. */
const FORBIDDEN = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** What a name is made of (RFC 9110, section 5.6.2): node:http2 throws at others. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

/**
 * The longest value, in bytes. Peers with nghttp2 (curl, Node.js, nginx) take a longer one for a COMPRESSION_ERROR, which
 * ends the whole connection.
 */
const MAX_VALUE_BYTES = 65_536;

/**
 * End-to-end fields as node:http2 takes them.
 * @throws NwsError `http_protocol_error` for a value that is too long
 */
export function toHttp2Fields(raw: RawHeaders): OutgoingHttpHeaders {
  const fields = joined(raw);
  for (const name of FORBIDDEN) delete fields[name];
  if (fields.te !== 'trailers') delete fields.te;
  for (const [name, value] of Object.entries(fields)) {
    const longest = Math.max(...[value].flat().map(({ length }) => length));
    if (longest > MAX_VALUE_BYTES) throw tooLong(name, longest);
  }
  return fields;
}

/** Sends trailers when the stream asks for them; one whose trailers HTTP/2 has no way to say is reset. */
export function sendTrailers(stream: Http2Stream, trailers: () => RawHeaders): void {
  stream.on('wantTrailers', () => {
    try {
      stream.sendTrailers(toHttp2Fields(trailers()));
    } catch {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  });
}

function tooLong(name: string, bytes: number): NwsError {
  const message = `${name.slice(0, 40)} has ${bytes} bytes, and HTTP/2 carries ${MAX_VALUE_BYTES} in a field`;
  return new NwsError('http_protocol_error', message, { hint: 'by HTTP/1.1 it passes' });
}

/** Raw pairs by their names in lower case; what came twice in one value, but for Set-Cookie. */
export function joined(raw: RawHeaders): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    const value = raw[index + 1]!;
    const before = fields[name];
    if (!TOKEN.test(name)) continue;
    if (before === undefined) fields[name] = name === 'set-cookie' ? [value] : value;
    else if (Array.isArray(before)) before.push(value);
    else if (!SINGLE.has(name)) fields[name] = list(before, value, name === 'cookie' ? '; ' : ', ');
  }
  return fields;
}

/** An empty member adds nothing to a list (RFC 9110, 5.6.1), and a blank at its end is refused. */
function list(before: string, value: string, separator: string): string {
  return [before, value].filter((member) => member !== '').join(separator);
}

/**
 * The raw pairs of a head of HTTP/2, without pseudo-fields. `:authority` becomes Host, and a Host beside it is
 * dropped; the crumbs of a Cookie become one field (RFC 9113, 8.2.3 and 8.3.1).
 */
export function fromHttp2Fields(raw: RawHeaders): string[] {
  const fields: string[] = [];
  const crumbs: string[] = [];
  let authority: string | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!;
    const value = raw[index + 1]!;
    if (name === ':authority') authority = value;
    else if (name === 'cookie') crumbs.push(value);
    else if (!name.startsWith(':') && (name !== 'host' || authority === undefined)) {
      fields.push(name, value);
    }
  }
  if (crumbs.length > 0) fields.push('cookie', crumbs.join('; '));
  return authority === undefined ? fields : ['host', authority, ...fields];
}

/** Whether this is a WebSocket or another protocol within a stream (RFC 8441). */
export function isExtendedConnect(head: IncomingHttpHeaders): boolean {
  return head[':method'] === 'CONNECT' && head[':protocol'] !== undefined;
}
