// Edits raw header lists (name, value, name, value, …) on their way through: order, case and
// repeated fields stay as they came. Which fields are added or replaced is the caller's choice.

import { type IncomingMessage, STATUS_CODES } from 'node:http';

/** Flat pairs as in `IncomingMessage.rawHeaders`. */
export type RawHeaders = readonly string[];

/**
 * Fields that concern one connection alone (RFC 9110, section 7.6.1, and the Proxy-* fields of
 * section 11.7), and Expect, which the engine handles by itself.
 * Proxy-Status is meant to travel (RFC 9209). Trailer would bind the sender to chunked framing.
 */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What a Connection header can't take away: framing and routing are for every recipient. */
const NEVER_HOP_BY_HOP = new Set(['content-length', 'host']);

/**
 * The fields that are meant for the far end: without the hop-by-hop ones and those that Connection
 * names. `TE: trailers` is kept. A Content-Length beside a Transfer-Encoding is dropped, since two
 * readers that disagree about the framing are how requests are smuggled.
 */
export function endToEnd(raw: RawHeaders): string[] {
  const dropped = new Set(HOP_BY_HOP);
  for (const value of values(raw, 'connection')) {
    for (const name of value.toLowerCase().split(',')) {
      if (!NEVER_HOP_BY_HOP.has(name.trim())) dropped.add(name.trim());
    }
  }
  if (values(raw, 'transfer-encoding').length > 0) dropped.add('content-length');
  const kept = without(raw, dropped);
  const wantsTrailers = values(raw, 'te').some((te) => /(^|,)\s*trailers\s*(,|;|$)/i.test(te));
  return wantsTrailers ? [...kept, 'TE', 'trailers'] : kept;
}

/** What stands in a field's value and can't be sent on (RFC 9110, section 5.5). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about these
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** The end-to-end fields of an answer, without bytes that no field may have, and with lengths only where they may be. */
export function answerFields(raw: RawHeaders, status: number): string[] {
  const fields = endToEnd(raw).map((text, at) =>
    at % 2 === 1 ? text.replace(CONTROLS, '') : text,
  );
  // RFC 9110, section 8.6: a client could take it for a body to come.
  return status < 200 || status === 204 ? without(fields, new Set(['content-length'])) : fields;
}

/** Sets fields: every former value is dropped, wherever it stood; `undefined` only drops. */
export function replaceHeaders(
  raw: RawHeaders,
  fields: Readonly<Record<string, string | undefined>>,
): string[] {
  const names = new Set(Object.keys(fields).map((name) => name.toLowerCase()));
  const kept = without(raw, names);
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) kept.push(name, value);
  }
  return kept;
}

/** All values of a field, in order. `name` is in lower case. */
export function values(raw: RawHeaders, name: string): string[] {
  const found: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index]!.toLowerCase() === name) found.push(raw[index + 1]!);
  }
  return found;
}

/** Whether a request announces a body (RFC 9112, section 6.3). */
export function hasBody(req: Pick<IncomingMessage, 'headers'>): boolean {
  if (req.headers['transfer-encoding'] !== undefined) return true;
  return Number(req.headers['content-length'] ?? 0) > 0;
}

/** Whether the client is still sending the body of a request. */
export function isUploading(req: IncomingMessage): boolean {
  return hasBody(req) && !req.complete;
}

/** A request target with what HTTP doesn't allow in one percent-encoded; its characters are the bytes that came. */
export function escaped(target: string): string {
  return target.replace(/[^\x21-\x7e]/g, (char) => {
    const bytes = Buffer.from(char, char.charCodeAt(0) > 0xff ? 'utf8' : 'latin1');
    return [...bytes]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join('');
  });
}

/** Status line and fields as text, for a connection that has no ServerResponse. Latin-1 on the wire. */
export function responseHead(status: number, headers: RawHeaders): string {
  return head(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`, headers);
}

/** Request line and fields as text. Latin-1 on the wire. */
export function requestHead(method: string, target: string, headers: RawHeaders): string {
  return head(`${method} ${target} HTTP/1.1`, headers);
}

function head(start: string, headers: RawHeaders): string {
  const lines = [start];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function without(raw: RawHeaders, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!;
    if (!names.has(name.toLowerCase())) kept.push(name, raw[index + 1]!);
  }
  return kept;
}
