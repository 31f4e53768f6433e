// An answer that came by HTTP/2, in the shape of node:http's IncomingMessage.

import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { Readable } from 'node:stream';
import { NwsError } from '../../errors.js';
import { fromHttp2Fields, joined } from './fields.js';

export class Http2Answer extends Readable {
  readonly httpVersion = '2.0';
  readonly statusCode: number;
  readonly statusMessage = '';
  readonly rawHeaders: string[];
  readonly headers: Record<string, string | string[]>;
  rawTrailers: string[] = [];
  /** Whether all of the body came. */
  complete = false;
  /** Whether its head was all of it. */
  readonly isEmpty: boolean;
  readonly #stream: ClientHttp2Stream;

  constructor(
    stream: ClientHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    raw: readonly string[],
  ) {
    super({ highWaterMark: stream.readableHighWaterMark });
    this.#stream = stream;
    this.isEmpty = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    this.statusCode = Number(headers[':status']);
    this.rawHeaders = fromHttp2Fields(raw);
    this.headers = joined(this.rawHeaders);
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.pause();
    stream.on('trailers', (...[, , trailers]: [unknown, unknown, string[]]) => {
      this.rawTrailers = trailers;
    });
    stream.once('end', () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      this.complete = true;
      this.push(null);
    });
    stream.once('close', () => {
      if (!this.complete) this.destroy(cut());
    });
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.complete) this.#stream.close(constants.NGHTTP2_CANCEL);
    callback(error);
  }
}

function cut(): NwsError {
  return new NwsError('connection_terminated', 'the target broke off its answer');
}
