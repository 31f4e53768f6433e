// Joins a request that came by HTTP/2 with one that goes out by whichever version: heads, bodies and trailers both ways,
// each as it comes. An end on either side that is none is a reset on the other.

import type { IncomingMessage } from 'node:http';
import { constants } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { NwsError, toNwsError } from '../../errors.js';
import { endToEnd, type RawHeaders } from '../headers.js';
import { Http2Answer } from './answer.js';
import type { Http2Request } from './request.js';
import type { Http2Response } from './response.js';

/** How long the rest of an upload is read after its answer: some clients take a reset for a failure. */
const LINGER_MS = 5_000;

/** What node:http's ClientRequest and `Http2ClientRequest` have in common. */
export interface Outgoing extends Writable {
  addTrailers(pairs: readonly [string, string][]): void;
}

/** @param onError called at most once, only while nothing has been answered: the caller replies */
export function joinHttp2(
  req: Http2Request,
  res: Http2Response,
  outgoing: Outgoing,
  onError: (error: NwsError) => void,
): void {
  outgoing.on('information', ({ statusCode, rawHeaders }: IncomingMessage) =>
    res.writeInformation(statusCode ?? 100, endToEnd(rawHeaders)),
  );
  outgoing.once('response', (answer: IncomingMessage) => {
    const isEnd = answer instanceof Http2Answer && answer.isEmpty;
    res.writeHead(answer.statusCode ?? 502, undefined, endToEnd(answer.rawHeaders), isEnd);
    handOn(answer, res, () => res.addTrailers(answer.rawTrailers));
  });
  outgoing.on('error', (error) => {
    if (res.headersSent) res.destroy();
    else if (!res.destroyed) onError(failureOf(error));
  });
  handOn(req, outgoing, () => outgoing.addTrailers(pairsOf(req.rawTrailers)));
  res.once('finish', () => lingerOver(req));
  res.once('close', () => {
    if (!res.writableFinished) outgoing.destroy();
  });
}

/** A pipe that tells an end from a break. */
function handOn(
  from: Readable & { readonly complete: boolean },
  to: Writable,
  atEnd: () => void,
): void {
  from.once('end', atEnd);
  from.once('error', () => to.destroy());
  from.once('close', () => {
    if (!from.complete) to.destroy();
  });
  from.pipe(to);
}

/** The answer is out: what is left of the upload interests nobody. */
function lingerOver(req: Http2Request): void {
  if (req.complete) return;
  req.unpipe().resume();
  const timer = setTimeout(() => req.stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
  req.stream.once('close', () => clearTimeout(timer));
}

function pairsOf(raw: RawHeaders): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, n) => [raw[2 * n]!, raw[2 * n + 1]!]);
}

function failureOf(error: NodeJS.ErrnoException): NwsError {
  if (error.code !== 'HPE_INVALID_CONSTANT') return toNwsError(error, 'connection_terminated');
  return new NwsError('http_protocol_error', 'the target does not answer by HTTP/1.1', {
    hint: 'if it speaks HTTP/2 alone, as gRPC does, use h2c:// in --target',
    cause: error,
  });
}
