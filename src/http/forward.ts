// Joins the request of a client with one to an origin (outgoing.ts): heads, bodies and trailers both ways, each as it
// comes and as fast as it is taken. Fields come edited (headers.ts); failures before the answer go to the caller.

import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { NwsError, toNwsError } from '../errors.js';
import { ClientProbe } from './client-probe.js';
import { awaitsContinue, noLongerAwaits } from './h1/continue.js';
import { cutAnswer } from './h1/cut.js';
import type { Http2Request } from './h2/request.js';
import { Http2Response } from './h2/response.js';
import { answerFields, hasBody, type RawHeaders, responseHead } from './headers.js';
import { codeOf, forwardError, unreadable } from './origin-errors.js';
import type { Answer, Interim, Outgoing, SendOut } from './outgoing.js';
import { keepForUpload } from './reply.js';

/** How long the origin may take for its response head once it has the whole request. */
export const RESPONSE_HEAD_TIMEOUT_MS = 300_000;

export interface ForwardOptions {
  readonly send: SendOut;
  /** Path and query. */
  readonly path: string;
  /** Raw pairs without hop-by-hop fields; Host at most once. */
  readonly headers: RawHeaders;
  /** What changes in the fields of the answer, interim ones included. */
  readonly editAnswer?: ((fields: string[]) => string[]) | undefined;
  /** The failure that an answer is where it isn't the origin's own word. */
  readonly judge?: ((answer: Answer) => NwsError | undefined) | undefined;
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
  req: IncomingMessage | Http2Request,
  res: ServerResponse | Http2Response,
  options: ForwardOptions,
): void {
  new Exchange(req, res, options).send(false);
}

/** Asking twice does what asking once does (RFC 9110, 9.2.2, and the registry of methods). */
const IDEMPOTENT: ReadonlySet<string> = new Set(
  'GET HEAD OPTIONS TRACE PUT DELETE PROPFIND REPORT SEARCH QUERY COPY MOVE MKCOL'.split(' '),
);
const NO_BYTES = Buffer.alloc(0);

class Exchange {
  readonly #req: IncomingMessage | Http2Request;
  readonly #res: ServerResponse | Http2Response;
  readonly #options: ForwardOptions;
  readonly #method: string;
  readonly #hasBody: boolean;
  #outgoing: Outgoing | undefined;
  #answer: Answer | undefined;
  #isConnected = false;
  #isRepeated = false;
  #headTimer: NodeJS.Timeout | undefined;
  readonly #probe = new ClientProbe(() => this.#sayNothing());
  #hasHead = false;
  #isOver = false;

  constructor(
    req: IncomingMessage | Http2Request,
    res: ServerResponse | Http2Response,
    options: ForwardOptions,
  ) {
    this.#req = req;
    this.#res = res;
    this.#options = options;
    this.#method = req.method ?? 'GET';
    this.#hasBody = hasBody(req);
    req.on('error', () => undefined); // shows as 'close'
    // The socket, since a response that waits behind a pipelined one never emits 'close'.
    req.socket.setMaxListeners(0).once('close', this.#onClientGone);
    req.socket.once('end', this.#onClientEnd);
    res.once('close', this.#settle);
  }

  /** @param isAgain whether it went out before, over a connection that turned out to be dead */
  send(isAgain: boolean): void {
    const { send, path, headers } = this.#options;
    const mayRepeat = IDEMPOTENT.has(this.#method) && !this.#hasBody;
    const outgoing = send({
      method: this.#method,
      path,
      headers,
      hasBody: this.#hasBody,
      expectsContinue: this.#expectsContinue(),
      isFresh: isAgain || !mayRepeat,
    });
    this.#outgoing = outgoing;
    outgoing.once('socket', (socket: Duplex | undefined) => {
      this.#isConnected = true;
      // First, since node:http's own listener takes a broken connection for the end of an answer without a length.
      socket?.prependListener('error', this.#onBroken);
      outgoing.once('close', () => socket?.off('error', this.#onBroken));
    });
    outgoing.once('upgrade', (_answer: unknown, socket: Duplex) => {
      socket.destroy();
      this.#fail(new NwsError('http_protocol_error', 'the server switched protocols unasked'));
    });
    outgoing.on('information', (interim: Interim) => this.#onInterim(interim));
    outgoing.once('response', (answer: Answer) => this.#onAnswer(answer));
    outgoing.on('error', (error) => this.#onError(outgoing, error));
    outgoing.once('finish', this.#awaitHead);
    if (this.#hasBody) this.#sendBody(outgoing);
    else outgoing.end();
  }

  /**
   * Whether the origin is to say when the body may come. node:http would write such a head as UTF-8 at once: with fields
   * that aren't ASCII the client is told here and now.
   */
  #expectsContinue(): boolean {
    if (!this.#hasBody || !awaitsContinue(this.#req)) return false;
    if (!this.#options.headers.some((text) => /[\u0080-\uffff]/.test(text))) return true;
    noLongerAwaits(this.#req);
    this.#sayInterim(100, []);
    return false;
  }

  #sendBody(outgoing: Outgoing): void {
    this.#req.once('end', () => outgoing.addTrailers(pairsOf(this.#req.rawTrailers)));
    this.#req.pipe(outgoing);
    this.#req.once('data', () => noLongerAwaits(this.#req));
  }

  #onInterim({ statusCode = 100, rawHeaders }: Interim): void {
    // An unasked 100 has no meaning to the client.
    if (statusCode === 100 && !awaitsContinue(this.#req)) return;
    if (statusCode === 100) noLongerAwaits(this.#req);
    this.#sayInterim(statusCode, this.#edited(rawHeaders));
  }

  #sayInterim(status: number, fields: RawHeaders): void {
    if (this.#res instanceof Http2Response) {
      this.#res.writeInformation(status, fields);
      return;
    }
    const { req, socket, headersSent } = this.#res;
    const isOld = req.httpVersion === '1.0'; // knows none (RFC 9110, section 15.2)
    // `socket` is there when it is this answer's turn.
    if (isOld || headersSent || socket === null || !socket.writable) return;
    socket.write(responseHead(status, fields), 'latin1');
  }

  /** What no client notices, and the system's answer to it shows whether there is one. */
  #sayNothing(): void {
    // Behind the head nothing is left to say: no bytes are, to learn what TCP's own question has brought (keepAlive).
    if (this.#res.headersSent) this.#req.socket.write(NO_BYTES);
    else this.#sayInterim(100, []);
  }

  #onAnswer(answer: Answer): void {
    clearTimeout(this.#headTimer);
    if (this.#isOver) return;
    this.#answer = answer;
    answer.on('error', () => this.#cut()).once('close', () => answer.complete || this.#cut());
    const status = answer.statusCode ?? 502;
    const unread = unreadable(answer.rawHeaders) ?? this.#options.judge?.(answer);
    if (unread !== undefined) return void this.#fail(unread);
    try {
      this.#sayHead(answer, status);
    } catch (error) {
      return void this.#fail(toNwsError(error, 'http_protocol_error'));
    }
    this.#hasHead = true;
    answer.once('end', () => {
      this.#res.addTrailers(pairsOf(answer.rawTrailers) as unknown as OutgoingHttpHeaders); // written where the framing allows
    });
    answer.pipe(this.#res);
    // The head travels with the first bytes of the body where they came together, else by itself:
    // a stream of events may stay silent for long.
    setImmediate(this.#flushHead);
  }

  /** @throws of what the client's version of HTTP has no way to say */
  #sayHead(answer: Answer, status: number): void {
    const fields = this.#edited(answer.rawHeaders, status);
    if (awaitsContinue(this.#req)) fields.push('Connection', 'close');
    else if (this.#res instanceof ServerResponse) keepForUpload(this.#res);
    if (this.#res instanceof Http2Response) {
      this.#res.respond(status, fields, answer.isEmpty);
      return;
    }
    const { statusMessage: reason = '' } = answer;
    const isPlain = /^[\x20-\x7e]+$/.test(reason);
    this.#res.writeHead(status, isPlain ? reason : (STATUS_CODES[status] ?? 'Unknown'), fields);
  }

  #edited(raw: RawHeaders, status = 100): string[] {
    const fields = answerFields(raw, status);
    return this.#options.editAnswer?.(fields) ?? fields;
  }

  #onError(outgoing: Outgoing, error: Error): void {
    if (outgoing !== this.#outgoing || this.#isOver) return;
    if (this.#hasHead) {
      // An answer that came before the whole request may end well, whatever became of the request; and what
      // comes behind a whole answer changes nothing of it.
      if (!this.#isUploading() && this.#answer?.complete !== true) this.#cut();
    } else if (this.#mayRepeat(error)) {
      this.#isRepeated = true;
      clearTimeout(this.#headTimer);
      this.#again();
    } else this.#fail(forwardError(error));
  }

  #again(): void {
    try {
      this.send(true);
    } catch (error) {
      this.#fail(toNwsError(error));
    }
  }

  /** An origin may close a kept connection just as it is chosen for this request: it is asked once more. */
  #mayRepeat(error: Error): boolean {
    if (this.#isRepeated || !this.#isConnected || this.#req.socket.destroyed) return false;
    const isHttp = codeOf(error).startsWith('HPE_');
    if (isHttp || this.#outgoing?.isSpent === true) return false;
    return !this.#hasBody && IDEMPOTENT.has(this.#method);
  }

  #isUploading(): boolean {
    return this.#hasBody && this.#outgoing?.writableFinished === false;
  }

  #fail(error: NwsError): void {
    this.#settle();
    if (!this.#req.socket.destroyed && !this.#res.headersSent) this.#options.onError(error);
  }

  /** Once the head is written, ending the connection is all that tells the client. */
  #cut(): void {
    if (this.#isOver || !this.#hasHead) return;
    this.#settle();
    this.#answer!.unpipe();
    if (this.#res instanceof Http2Response) this.#res.destroy();
    else cutAnswer(this.#res, this.#answer!);
  }

  readonly #onBroken = (): void => {
    if (this.#answer?.complete === false) this.#cut();
  };

  readonly #flushHead = (): void => {
    // No flushHeaders(): it would write the Latin-1 of the fields as UTF-8.
    const { writableEnded, destroyed, writableLength } = this.#res;
    if (!writableEnded && !destroyed && writableLength === 0) this.#res.write(NO_BYTES);
  };

  readonly #awaitHead = (): void => {
    if (this.#hasHead || this.#isOver) return;
    this.#headTimer = setTimeout(() => {
      const message = `no answer within ${RESPONSE_HEAD_TIMEOUT_MS / 1000} s`;
      this.#fail(new NwsError('connection_read_timeout', message));
    }, RESPONSE_HEAD_TIMEOUT_MS);
  };

  readonly #onClientGone = (): void => {
    this.#settle();
    this.#res.destroy();
  };

  readonly #onClientEnd = (): void => this.#probe.start();

  /** Leaves the origin's side; what the client still sends is read and dropped. */
  readonly #settle = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#headTimer);
    this.#probe.stop();
    this.#req.socket.off('close', this.#onClientGone).off('end', this.#onClientEnd);
    const outgoing = this.#outgoing;
    if (outgoing === undefined) return;
    if (this.#hasBody) this.#req.unpipe(outgoing).resume();
    if (!this.#res.writableFinished || this.#isUploading()) outgoing.destroy();
  };
}

function pairsOf(raw: RawHeaders): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at]!, raw[2 * at + 1]!]);
}
