// An answer that goes out by HTTP/2, in the shape of node:http's ServerResponse as far as forwarding needs it.
// A cut answer is a reset stream: it never looks whole.

import { constants, type ServerHttp2Stream } from 'node:http2';
import { Writable } from 'node:stream';
import type { RawHeaders } from '../headers.js';
import { sendTrailers, toHttp2Fields } from './fields.js';
import type { Http2Request } from './request.js';

/** How long the rest of an upload is read after its answer: some clients take a reset for a failure. */
const LINGER_MS = 5_000;

export class Http2Response extends Writable {
  readonly req: Http2Request;
  readonly stream: ServerHttp2Stream;
  #trailers: RawHeaders = [];

  constructor(req: Http2Request) {
    // Destroyed with its stream, which may have more to read.
    super({ highWaterMark: req.stream.writableHighWaterMark, autoDestroy: false });
    this.req = req;
    this.stream = req.stream;
    sendTrailers(this.stream, () => this.#trailers);
    this.on('error', () => undefined);
    this.stream.on('error', () => undefined); // a reset of either side; it shows as 'close'
    this.stream.once('close', () => this.destroy());
    this.once('finish', () => this.#lingerOver(req));
  }

  get headersSent(): boolean {
    return this.stream.headersSent;
  }

  /** A head of 1xx (RFC 9110, 15.2), but for 101, which HTTP/2 has not. */
  writeInformation(status: number, headers: RawHeaders = []): void {
    const isInterim = status >= 100 && status < 200 && status !== 101;
    if (this.#isOver || this.headersSent || !isInterim) return;
    try {
      this.stream.additionalHeaders({ ':status': status, ...toHttp2Fields(headers) });
    } catch {
      // What HTTP/2 has no way to say, in a head that nobody needs.
    }
  }

  /**
   * @param isEnd whether nothing follows: gRPC tells a head that is the end from one before an empty body
   * @throws of a head that HTTP/2 has no way to say; nothing was sent then
   */
  respond(status: number, headers: RawHeaders, isEnd = false): void {
    if (this.#isOver) return;
    const fields = { ':status': status, ...toHttp2Fields(headers) };
    // `sendDate` is not in the types: the origin's own Date, or none.
    const options = { endStream: isEnd, waitForTrailers: !isEnd, sendDate: false };
    this.stream.respond(fields, options);
  }

  addTrailers(pairs: unknown): void {
    this.#trailers = (pairs as readonly [string, string][]).flat();
  }

  override _write(
    chunk: Buffer,
    encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ) {
    // HEAD, 204 and 304 have ended by their head.
    const isNothing = chunk.length === 0 || this.stream.writableEnded;
    if (isNothing) callback();
    else this.stream.write(chunk, encoding, callback);
  }

  override _final(callback: () => void): void {
    if (this.stream.writableEnded) callback();
    else this.stream.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const { stream, writableFinished } = this;
    if (!stream.closed) {
      stream.close(
        writableFinished ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_INTERNAL_ERROR,
      );
    }
    callback(error);
  }

  /** The answer is out: what is left of an upload interests nobody. */
  #lingerOver(req: Http2Request): void {
    if (req.complete) return;
    req.unpipe().resume();
    const timer = setTimeout(() => this.stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
    this.stream.once('close', () => clearTimeout(timer));
  }

  get #isOver(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }
}
