// One HTTP request through an undici dispatcher, streamed both ways with backpressure.
// Headers come edited (headers.ts); failures before the answer go to the caller, who replies.

import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { PassThrough } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type ErrorCode, NwsError, toNwsError } from '../errors.js';
import { endToEnd, hasBody } from './headers.js';
import { keepForUpload } from './reply.js';

/** How long the origin may take for its response head once it has the whole request. */
export const RESPONSE_HEAD_TIMEOUT_MS = 300_000;

export interface ForwardOptions {
  readonly dispatcher: Dispatcher;
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** Raw pairs without hop-by-hop fields; Host at most once. */
  readonly headers: string[];
  /**
   * Called at most once, and only while nothing has been answered: the caller replies.
   * Later the client's connection is cut instead, so that half an answer never looks whole.
   */
  readonly onError: (error: NwsError) => void;
}

/**
 * Forwards `req` and writes the answer to `res`. A client that leaves aborts the request; an origin
 * that dies in the middle of its answer cuts the client's connection.
 */
export function forwardRequest(
  req: IncomingMessage,
  res: ServerResponse,
  options: ForwardOptions,
): void {
  new Exchange(req, res, options).dispatch();
}

/** Asking twice does what asking once does, and changes nothing (RFC 9110, 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const NO_BYTES = Buffer.alloc(0);

class Exchange implements Dispatcher.DispatchHandler {
  /**
   * A stream of its own behind the request: undici destroys the body once it has the answer, and
   * destroying the request itself would take the client's connection along.
   */
  readonly body: PassThrough | null;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #options: ForwardOptions;
  #isRepeated = false;
  #controller: Dispatcher.DispatchController | undefined;
  #headTimer: NodeJS.Timeout | undefined;
  #hasHead = false;
  #hasBytes = false;
  /** Bytes of the answer that are still to come; not a number where the origin doesn't say how many. */
  #leftBytes = Number.NaN;

  constructor(req: IncomingMessage, res: ServerResponse, options: ForwardOptions) {
    this.#req = req;
    this.#res = res;
    this.#options = options;
    this.body = hasBody(req) ? req.pipe(new PassThrough()) : null;
    this.body?.on('error', () => undefined); // arrives in onResponseError, too
    this.body?.once('end', this.#awaitHead);
    this.body?.once('close', () => req.resume()); // an early answer: the rest is read and dropped
    // The socket, since a response that waits behind a pipelined one never emits 'close'.
    req.socket.setMaxListeners(0).once('close', this.#onClientGone);
    res.on('drain', this.#resume);
  }

  dispatch(): void {
    const { dispatcher, origin, path, headers } = this.#options;
    const method = this.#req.method ?? 'GET';
    // undici would count the time of a slow upload as waiting for the response head.
    const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
    dispatcher.dispatch({ origin, path, method, headers, body: this.body, ...timeouts }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#req.socket.destroyed) this.#onClientGone();
    else if (this.body === null) this.#awaitHead();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    { 'content-length': length }: IncomingHttpHeaders,
    statusText = '',
  ): void {
    if (status < 200) return; // interim answers (103) are dropped
    clearTimeout(this.#headTimer);
    this.#hasHead = true;
    this.#leftBytes = Number(length);
    const headers = endToEnd(rawStrings(controller.rawHeaders));
    keepForUpload(this.#res);
    const reason = /^[\x20-\x7e]+$/.test(statusText) ? statusText : STATUS_CODES[status];
    this.#res.writeHead(status, reason ?? 'Unknown', headers);
    // The head travels with the first bytes of the body where they came together, else by itself:
    // a stream of events may stay silent for long.
    process.nextTick(this.#flushHead);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#hasBytes = true;
    this.#leftBytes -= chunk.length;
    // undici that is paused behind the last byte takes an origin that closes by then for one that failed.
    if (!this.#res.write(chunk) && this.#leftBytes !== 0) controller.pause();
  }

  onResponseEnd(_controller: unknown, trailers: IncomingHttpHeaders): void {
    this.#settle();
    this.#res.addTrailers(trailers as OutgoingHttpHeaders); // written where the framing allows
    this.#res.end();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#mayRepeat(error)) {
      this.#isRepeated = true;
      clearTimeout(this.#headTimer);
      this.dispatch();
      return;
    }
    this.#settle();
    if (this.#req.socket.destroyed) return;
    // Once the head is written, cutting the connection is all that tells the client.
    if (this.#res.headersSent) this.#res.destroy();
    else this.#options.onError(forwardError(error));
  }

  /** An origin may close an idle connection just as it is chosen for this request: it is asked once more. */
  #mayRepeat(error: Error): boolean {
    const { code } = error as NodeJS.ErrnoException;
    const wasClosed = code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
    if (!wasClosed || this.#hasHead || this.#isRepeated || this.#req.socket.destroyed) return false;
    return this.body === null && SAFE_METHODS.has(this.#req.method ?? '');
  }

  readonly #flushHead = (): void => {
    // No flushHeaders(): it would write the Latin-1 of the fields as UTF-8.
    if (!this.#hasBytes && !this.#res.writableEnded && !this.#res.destroyed) {
      this.#res.write(NO_BYTES);
    }
  };

  readonly #resume = (): void => this.#controller?.resume();

  readonly #awaitHead = (): void => {
    if (this.#hasHead) return;
    this.#headTimer = setTimeout(() => {
      const message = `no answer within ${RESPONSE_HEAD_TIMEOUT_MS / 1000} s`;
      this.#controller?.abort(new NwsError('connection_read_timeout', message));
    }, RESPONSE_HEAD_TIMEOUT_MS);
  };

  readonly #onClientGone = (): void => {
    this.#controller?.abort(new NwsError('connection_terminated', 'the client left'));
  };

  #settle(): void {
    this.#hasHead = true;
    clearTimeout(this.#headTimer);
    this.#req.socket.off('close', this.#onClientGone);
    this.#res.off('drain', this.#resume);
    this.body?.destroy();
  }
}

/** undici keeps the bytes of header fields; HTTP's text is Latin-1. */
function rawStrings(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')));
}

const UNDICI_CODES: Readonly<Record<string, ErrorCode>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connection_timeout',
  UND_ERR_HEADERS_OVERFLOW: 'http_protocol_error',
  UND_ERR_INVALID_ARG: 'http_request_error',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'http_request_error',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'http_protocol_error',
  UND_ERR_SOCKET: 'connection_terminated',
};

function forwardError(error: Error): NwsError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code.startsWith('HPE_')) {
    const message = 'the server answered with something else than HTTP';
    return new NwsError('http_protocol_error', message, { cause: error });
  }
  return toNwsError(error, UNDICI_CODES[code] ?? 'http_protocol_error');
}
