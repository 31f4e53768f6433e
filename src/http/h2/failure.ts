// Failure answers on a stream of HTTP/2: the page of http/reply.ts, or what a gRPC client reads as a status.

import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { NwsError } from '../../errors.js';
import { failureAnswer, proxyStatus } from '../reply.js';
import { toHttp2Fields } from './fields.js';

/** What a status means in gRPC's terms (its "HTTP to gRPC Status Code Mapping"); others are UNKNOWN. */
const GRPC_STATUS: Readonly<Record<number, number>> = {
  400: 13, // INTERNAL
  403: 7, // PERMISSION_DENIED
  431: 8, // RESOURCE_EXHAUSTED
  502: 14, // UNAVAILABLE
  503: 14,
  504: 14,
};
const GRPC_UNKNOWN = 2;

/** Answers the request on `stream` with a failure. Does nothing where an answer has begun or the client is gone. */
export function respondFailure(
  stream: ServerHttp2Stream,
  request: IncomingHttpHeaders,
  error: NwsError,
): void {
  if (stream.headersSent || stream.destroyed || stream.closed) return;
  stream.on('error', () => undefined);
  if (/^application\/grpc\b/.test(request['content-type'] ?? '')) {
    stream.respond(grpcTrailers(error), { endStream: true });
  } else {
    const { status, headers, body } = failureAnswer(error, request.accept);
    stream.respond({ ':status': status, ...toHttp2Fields(headers) });
    stream.end(request[':method'] === 'HEAD' ? undefined : body);
  }
  // The rest of an upload is dropped: a client that is still sending reads its answer first.
  stream.resume();
}

/** gRPC's "Trailers-Only": a head that is the end as well. */
function grpcTrailers(error: NwsError): OutgoingHttpHeaders {
  return {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': GRPC_STATUS[error.status] ?? GRPC_UNKNOWN,
    'grpc-message': `nws: ${error.line}`.replace(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent),
    'proxy-status': proxyStatus(error),
  };
}
