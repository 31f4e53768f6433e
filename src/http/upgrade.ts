// Forwards an Upgrade request (WebSocket and others) over a stream that the caller opens, and hands
// both sides back after the 101. Leaves the two-way copying after it to the caller.

import { type IncomingMessage, request, ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { NwsError, toNwsError } from '../errors.js';
import { MAX_HEADER_BYTES } from '../limits.js';
import { RESPONSE_HEAD_TIMEOUT_MS } from './forward.js';
import { withoutH2c } from './h1/front.js';
import { answerFields, type RawHeaders, responseHead } from './headers.js';
import type { Answer } from './outgoing.js';

/** What became of an upgrade that went another way than HTTP/1.1's: the fields of a 101, or an ordinary answer. */
export type OpenedUpgrade = { readonly origin: Duplex } & (
  | { readonly fields: RawHeaders }
  | { readonly answer: Answer }
);

export interface UpgradeOptions {
  /** Opens the way to the origin. It is given up with `signal` when the client leaves. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  /** Asks the origin, in place of `connect` and of a request on what that opens. */
  readonly open?: ((signal: AbortSignal) => Promise<OpenedUpgrade>) | undefined;
  /** Path and query. */
  readonly path: string;
  /** Raw pairs without hop-by-hop fields. */
  readonly headers: RawHeaders;
  /** What changes in the fields of the answer. */
  readonly editAnswer?: ((fields: string[]) => string[]) | undefined;
  /** As Http1Options.isLenient. */
  readonly isLenient?: boolean | undefined;
  /** Both sides speak the new protocol from here; bytes that came early are still to be read. */
  readonly onUpgrade: (client: Duplex, origin: Duplex) => void;
  /** Called at most once, only while nothing has been answered: the caller replies on the socket. */
  readonly onError: (error: NwsError) => void;
}

/**
 * Forwards an upgrade. An answer other than 101 is relayed as an ordinary one and the connection
 * ends. Requests with a body, and for h2c alone, never come here (h1/front.ts).
 * @param head what the client sent behind its request.
 */
export function forwardUpgrade(
  req: IncomingMessage,
  client: Duplex,
  head: Buffer,
  options: UpgradeOptions,
): void {
  if (head.length > 0) client.unshift(head);
  void new Upgrade(req, client, options).run();
}

class Upgrade {
  readonly #req: IncomingMessage;
  readonly #client: Duplex;
  readonly #options: UpgradeOptions;
  readonly #leave = new AbortController();
  #origin: Duplex | undefined;

  constructor(req: IncomingMessage, client: Duplex, options: UpgradeOptions) {
    this.#req = req;
    this.#client = client;
    this.#options = options;
    // Only reading shows that a client has left.
    client.on('readable', this.#watchForEnd).on('end', this.#giveUp);
    client.on('error', this.#giveUp).on('close', this.#giveUp);
  }

  async run(): Promise<void> {
    const { connect, open } = this.#options;
    const { signal } = this.#leave;
    try {
      const opened = await (open === undefined ? connect(signal) : open(signal));
      this.#origin = 'origin' in opened ? opened.origin : opened;
      if (signal.aborted) this.#origin.destroy();
      else if (!('origin' in opened)) this.#send(opened);
      else if ('fields' in opened) this.#switch(opened.fields, this.#req.headers.upgrade);
      else this.#relay(opened.answer);
    } catch (error) {
      this.#fail(error);
    }
  }

  #send(origin: Duplex): void {
    const outgoing = request({
      createConnection: () => origin,
      method: this.#req.method ?? 'GET',
      path: this.#options.path,
      headers: this.#headers(),
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: this.#options.isLenient ?? false,
    });
    outgoing.maxHeadersCount = 0;
    const late = new NwsError('connection_read_timeout', 'no answer to the upgrade request');
    const timer = setTimeout(() => outgoing.destroy(late), RESPONSE_HEAD_TIMEOUT_MS);
    outgoing.once('close', () => clearTimeout(timer));
    outgoing.on('error', (error) => this.#fail(error));
    outgoing.once('response', (answer) => this.#relay(answer));
    outgoing.once('upgrade', ({ rawHeaders, headers }, _socket, early) => {
      clearTimeout(timer);
      if (early.length > 0) origin.unshift(early);
      this.#switch(rawHeaders, headers.upgrade);
    });
    outgoing.end();
  }

  #headers(): string[] {
    const protocols = withoutH2c(this.#req.headers.upgrade);
    return [...this.#options.headers, 'Connection', 'Upgrade', 'Upgrade', protocols];
  }

  #switch(raw: RawHeaders, protocol = ''): void {
    this.#release();
    const headers = this.#edited(raw, 101);
    headers.push('Connection', 'Upgrade', 'Upgrade', protocol);
    this.#client.write(responseHead(101, headers), 'latin1');
    this.#options.onUpgrade(this.#client, this.#origin!);
  }

  /** An ordinary answer: node:http frames it, and the connection ends behind it. */
  #relay(answer: Answer): void {
    const res = new ServerResponse(this.#req);
    // ServerResponse uses no more of a socket than Duplex has; its server would pass on 'drain'.
    res.assignSocket(this.#client as Socket);
    const { statusCode = 502, statusMessage, rawHeaders } = answer;
    const headers = [...this.#edited(rawHeaders, statusCode), 'Connection', 'close'];
    res.writeHead(statusCode, statusMessage || STATUS_CODES[statusCode], headers);
    this.#client.on('drain', () => res.emit('drain'));
    pipeline(answer, res, (error) => {
      this.#origin?.destroy();
      if (error) this.#client.destroy();
      else this.#client.end(() => this.#client.destroy());
    });
  }

  #edited(raw: RawHeaders, status: number): string[] {
    const fields = answerFields(raw, status);
    return this.#options.editAnswer?.(fields) ?? fields;
  }

  #fail(error: unknown): void {
    this.#origin?.destroy();
    if (this.#leave.signal.aborted || this.#client.destroyed) return;
    this.#release();
    this.#client.on('error', () => undefined);
    this.#options.onError(toNwsError(error, 'http_upgrade_failed'));
  }

  readonly #giveUp = (): void => {
    this.#leave.abort();
    this.#origin?.destroy();
    this.#client.destroy();
  };

  /** What a client sends early is kept for the origin; then its end shows only after the answer. */
  readonly #watchForEnd = (): void => {
    const early: Buffer | null = this.#client.read();
    if (early === null) return;
    this.#client.off('readable', this.#watchForEnd);
    this.#client.unshift(early);
  };

  #release(): void {
    this.#client.off('readable', this.#watchForEnd).off('end', this.#giveUp);
    this.#client.off('error', this.#giveUp).off('close', this.#giveUp);
  }
}
