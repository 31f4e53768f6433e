// A request that came by HTTP/2, in the shape of node:http's IncomingMessage: what forwards requests need not know.
// Unlike node:http2's own one it tells a body that was cut from one that ended.

import type { IncomingHttpHeaders } from 'node:http';
import {
  constants,
  type IncomingHttpHeaders as Http2Headers,
  type ServerHttp2Stream,
} from 'node:http2';
import { type Duplex, Readable } from 'node:stream';
import { fromHttp2Fields, joined } from './fields.js';

export class Http2Request extends Readable {
  readonly httpVersion = '2.0';
  readonly method: string;
  readonly url: string;
  /** As HTTP/1.1 would have them: with Host, and how the body is framed. */
  readonly rawHeaders: string[];
  readonly headers: IncomingHttpHeaders;
  rawTrailers: string[] = [];
  /** Whether all of the body came. */
  complete: boolean;
  readonly stream: ServerHttp2Stream;
  /** What the connection runs over. */
  readonly socket: Duplex;
  #isReading = false;

  constructor(
    socket: Duplex,
    stream: ServerHttp2Stream,
    headers: Http2Headers,
    raw: readonly string[],
  ) {
    super({ highWaterMark: stream.readableHighWaterMark });
    this.stream = stream;
    this.socket = socket;
    this.method = String(headers[':method']);
    this.url = String(headers[':path'] ?? '');
    this.complete = stream.endAfterHeaders;
    this.rawHeaders = [...fromHttp2Fields(raw), ...framing(this.method, headers, this.complete)];
    this.headers = joined(this.rawHeaders);
    if (this.complete) this.push(null);
    stream.on('trailers', (...[, , trailers]: [unknown, unknown, string[]]) => {
      this.rawTrailers = trailers;
    });
    stream.once('close', () => {
      if (!this.complete) this.destroy();
    });
  }

  /** The stream is nobody's until somebody reads: a WebSocket takes it as it is. */
  override _read(): void {
    if (!this.#isReading) this.#listen();
    this.stream.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // The rest of an upload that nobody wants; without an answer it is refused as a whole.
    if (!this.complete) this.stream.resume();
    callback(error);
  }

  #listen(): void {
    const { stream } = this;
    this.#isReading = true;
    stream.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) stream.pause();
    });
    stream.once('end', () => {
      if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      this.complete = true;
      this.push(null);
    });
  }
}

/** Methods that mean a body, where an empty one is said to be empty (RFC 9110, 8.6). */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** What HTTP/1.1 says of a body that comes without a length. */
function framing(method: string, headers: Http2Headers, isComplete: boolean): string[] {
  if (headers['content-length'] !== undefined) return [];
  if (!isComplete) return ['transfer-encoding', 'chunked'];
  return WITH_BODY.has(method) ? ['content-length', '0'] : [];
}
