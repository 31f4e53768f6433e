// A request that goes out by HTTP/2, in the shape of node:http's ClientRequest. What the origin says it hasn't looked at
// (a full session, a GOAWAY) goes out again by itself, as long as what was sent of it is small enough to be kept.

import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { Writable } from 'node:stream';
import { NwsError, toNwsError } from '../../errors.js';
import type { RawHeaders } from '../headers.js';
import type { Outgoing, OutgoingHead } from '../outgoing.js';
import { Http2Answer } from './answer.js';
import { fromHttp2Fields, sendTrailers, toHttp2Fields } from './fields.js';
import type { Http2Sessions } from './sessions.js';

/** What is kept of a body for a second time. */
const MAX_KEPT_BYTES = 64 * 1024;
/** How often one request goes out. */
const MAX_ATTEMPTS = 3;

export interface Http2RequestHead extends OutgoingHead {
  readonly scheme: 'http' | 'https';
}

/** Emits `information` and `response` as ClientRequest does, and `error` with an NwsError. */
export class Http2ClientRequest extends Writable implements Outgoing {
  readonly #sessions: Http2Sessions;
  readonly #head: Http2RequestHead;
  #stream: ClientHttp2Stream | undefined;
  #attempts = 0;
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  #trailers: RawHeaders = [];
  #hasAnswer = false;
  /** Writes that wait for a stream. */
  #waiting: (() => void) | undefined;

  constructor(sessions: Http2Sessions, head: Http2RequestHead) {
    super({ autoDestroy: false }); // what is written has its answer still to come
    this.#sessions = sessions;
    this.#head = head;
    void this.#attempt();
  }

  /** To be called before the end. */
  addTrailers(pairs: readonly [string, string][]): void {
    this.#trailers = pairs.flat();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#onStream((stream) => {
      this.#keep(chunk);
      passOn(stream, chunk, callback);
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#onStream((stream) => {
      if (!stream.writableEnded && !stream.closed) stream.end();
      callback();
    });
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#waiting = undefined;
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    callback(error);
  }

  async #attempt(): Promise<void> {
    this.#attempts += 1;
    const { hasBody } = this.#head;
    try {
      const options = { endStream: !hasBody, waitForTrailers: hasBody };
      const stream = await this.#sessions.request(fieldsOf(this.#head), options);
      if (this.destroyed) stream.close(constants.NGHTTP2_CANCEL);
      else this.#use(stream);
    } catch (error) {
      this.destroy(toNwsError(error));
    }
  }

  #use(stream: ClientHttp2Stream): void {
    this.#stream = stream;
    this.emit('socket', stream);
    stream.on('error', () => undefined); // shows as 'close'
    sendTrailers(stream, () => this.#trailers);
    stream.on('headers', (headers: IncomingHttpHeaders, _flags: number, raw?: string[]) =>
      this.emit('information', informationOf(headers, raw)),
    );
    stream.once('response', (headers: IncomingHttpHeaders, flags: number, raw?: string[]) => {
      this.#hasAnswer = true;
      this.#kept = undefined;
      this.emit('response', new Http2Answer(stream, headers, flags, raw ?? []), stream);
    });
    stream.once('close', () => this.#onClose(stream));
    this.#flush(stream);
  }

  #flush(stream: ClientHttp2Stream): void {
    const [waiting, kept] = [this.#waiting, this.#kept ?? []];
    this.#waiting = undefined;
    for (const chunk of kept) stream.write(chunk);
    if (waiting !== undefined) waiting();
    else if (this.writableFinished && !stream.writableEnded) stream.end();
  }

  #onStream(act: (stream: ClientHttp2Stream) => void): void {
    if (this.#stream === undefined) this.#waiting = () => act(this.#stream!);
    else act(this.#stream);
  }

  #keep(chunk: Buffer): void {
    if (this.#kept === undefined) return;
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > MAX_KEPT_BYTES) this.#kept = undefined;
    else this.#kept.push(chunk);
  }

  #onClose(stream: ClientHttp2Stream): void {
    if (this.destroyed) return;
    if (this.#hasAnswer) {
      this.destroy();
      return;
    }
    const wasRefused = this.#sessions.wasRefused(stream);
    if (wasRefused && this.#kept !== undefined && this.#attempts < MAX_ATTEMPTS) {
      this.#stream = undefined;
      void this.#attempt();
    } else this.destroy(brokenOff(stream.rstCode));
  }
}

/** A CONNECT is a WebSocket (RFC 8441); nothing else of it comes here. */
function fieldsOf(head: Http2RequestHead): OutgoingHttpHeaders {
  const { method, path, scheme, headers, expectsContinue } = head;
  const host = headers.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  return {
    ':method': method,
    ':scheme': scheme,
    ':authority': headers[host + 1],
    ':path': path,
    ...(method === 'CONNECT' && { ':protocol': 'websocket' }),
    ...toHttp2Fields(headers),
    ...(expectsContinue && { expect: '100-continue' }),
  };
}

/** A stream that was refused takes no more, and the request goes out again. */
function passOn(stream: ClientHttp2Stream, chunk: Buffer, done: () => void): void {
  if (stream.closed || stream.destroyed || stream.writableEnded) done();
  else stream.write(chunk, () => done());
}

function informationOf(headers: IncomingHttpHeaders, raw: string[] = []) {
  return { statusCode: Number(headers[':status']), rawHeaders: fromHttp2Fields(raw) };
}

function brokenOff(code: number): NwsError {
  const name = NAMES[code] ?? String(code);
  return new NwsError('connection_terminated', `the target ended the request: ${name}`);
}

/** By their codes (RFC 9113, section 7). */
const NAMES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];
