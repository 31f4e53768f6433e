// Failure answers: status, Proxy-Status (RFC 9209), one plain line for curl, a small page for
// browsers. What failed and what helps comes with the NwsError.

import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { NwsError } from '../errors.js';
import { MAX_HEADER_BYTES } from '../limits.js';
import { failurePage, PAGE_POLICY } from './failure-page.js';
import { awaitsContinue } from './h1/continue.js';
import { isUploading, responseHead } from './headers.js';

/** Longest text taken over from an error, in characters: a peer may have written it. */
const MAX_TEXT = 512;

/** How long a client may take to close its side after a failure on a raw connection. */
const LINGER_MS = 2_000;

export interface FailureAnswer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
}

/**
 * Answers an HTTP request with a failure; the connection ends after it, unless the rest of an
 * upload is still on its way: that is read and dropped. Does nothing where an answer has begun or the client is gone.
 */
export function replyFailure(res: ServerResponse, error: NwsError): void {
  if (res.headersSent || res.destroyed) return;
  const { status, headers, body } = failureAnswer(error, res.req.headers.accept);
  if (!isUploading(res.req) || awaitsContinue(res.req)) headers.push('Connection', 'close');
  keepForUpload(res);
  res.writeHead(status, headers).end(body);
  res.req.resume();
}

/**
 * Keeps the connection open for a client that is still sending while it is answered: closed on unread
 * bytes, TCP resets it, and the answer is lost. To be called before the head is written.
 */
export function keepForUpload(res: ServerResponse): void {
  const { req } = res;
  if (!isUploading(req) || awaitsContinue(req)) return;
  if (!res.shouldKeepAlive) endBehind(res);
  res.shouldKeepAlive = true;
}

/** The client has asked for the end of the connection (RFC 9112, section 9.6): it comes when both sides are through. */
function endBehind(res: ServerResponse): void {
  const { req } = res;
  const end = (): void => void req.socket.end();
  res.once('finish', () => {
    if (req.complete) end();
    else req.once('close', end);
  });
}

/**
 * A failure on a raw connection, for CONNECT and upgrades, where no ServerResponse exists; closes it.
 * @param accept the client's Accept header
 */
export function replyFailureRaw(socket: Duplex, error: NwsError, accept?: string): void {
  if (socket.destroyed || !socket.writable) return;
  const { status, headers, body } = failureAnswer(error, accept);
  headers.push('Connection', 'close');
  socket.end(responseHead(status, headers) + body);
  // What the client still sends is read for a moment: closing on it would take the answer along.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer)).resume();
}

/** The failure of a client whose request head is over the limit. */
export function headTooLarge(): NwsError {
  return new NwsError('headers_too_large', `request head is over ${MAX_HEADER_BYTES} bytes`);
}

/** Value of Proxy-Status: an item of RFC 8941, whose strings are printable ASCII. */
export function proxyStatus(error: NwsError): string {
  const details = oneLine(error.line)
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/["\\]/g, '\\$&');
  return `nws; error=${error.proxyError}; details="${details}"`;
}

/** A failure as an answer, without what belongs to a connection. @param accept the client's Accept header */
export function failureAnswer(error: NwsError, accept: string | undefined): FailureAnswer {
  const isHtml = accept?.includes('text/html') ?? false;
  const body = isHtml
    ? failurePage(error, oneLine(error.message), error.hint && oneLine(error.hint))
    : `nws: ${oneLine(error.line)}\n`;
  const headers = [
    'Content-Type',
    isHtml ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'Proxy-Status',
    proxyStatus(error),
  ];
  if (isHtml) headers.push('Content-Security-Policy', PAGE_POLICY);
  return { status: error.status, headers, body };
}

function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}
