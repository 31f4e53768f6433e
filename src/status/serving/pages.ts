// The pages that a running proxy or exit has about itself: status page, status.json, metrics, health. Reading the
// state is watch's matter, who may read it guard's.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { NwsError, toNwsError } from '../../errors.js';
import { replyFailure } from '../../http/reply.js';
import { Live } from '../live/live.js';
import { Samples } from '../live/samples.js';
import { metricsOf } from '../metrics.js';
import {
  errorsOf,
  peersOf,
  pinsOf,
  relaysOf,
  type Subject,
  streamRow,
  summaryOf,
  targetsOf,
} from '../state/watch.js';
import { assetFor } from './assets.js';
import { isLoopbackAuthority, notForYou, refusalOfOrigin } from './guard.js';

export interface Page {
  readonly status?: number;
  readonly type: string;
  readonly body: string | Buffer;
}

export interface StatusPagesOptions {
  readonly subject: Subject;
  /** Whether pages may be asked for by this host, and port; default: by those of loopback alone. */
  readonly isOwn?: (authority: string) => boolean;
  /** Pages of one role alone. Web pages of other origins may ask for them, and not read them. */
  readonly more?: (path: string, authority: string) => Page | undefined;
}

const TEXT = 'text/plain; charset=utf-8';
/** Rows of status.json: more than a process has streams, and pins enough. */
const MAX_ROWS = 1_000;
const PAGES = 'there are /, /status.json, /metrics, /healthz and /readyz';

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export class StatusPages {
  readonly #options: StatusPagesOptions;
  readonly #samples: Samples;
  readonly #live: Live;

  constructor(options: StatusPagesOptions) {
    this.#options = options;
    this.#samples = new Samples(Date.now());
    this.#live = new Live(options.subject, this.#samples);
  }

  /** Pages that are open now. */
  get viewers(): number {
    return this.#live.viewers;
  }

  /**
   * Answers a request for this program. Never throws.
   * @param url path and query
   * @param authority the host, and port, that the client asked for
   */
  serve(
    url: string,
    authority: string | undefined,
    req: IncomingMessage,
    res: ServerResponse,
  ): void {
    const [path = '/', query = ''] = url.split('?', 2);
    const first = this.#first(path, authority, req);
    if (first instanceof NwsError) replyFailure(res, first);
    else if (first !== undefined) send(req, res, first);
    else void this.#reply(path, query, req, res);
  }

  /** Ends the pages that are live. */
  close(): void {
    this.#live.close();
  }

  /** What is to be said before anything about this program is read. */
  #first(path: string, authority = '', req: IncomingMessage): Page | NwsError | undefined {
    const { isOwn = isLoopbackAuthority, more } = this.#options;
    if (!isOwn(authority)) return notForYou();
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    if (!isRead) return { status: 405, type: TEXT, body: 'GET and HEAD only\n' };
    return more?.(path, authority) ?? refusalOfOrigin(req, authority);
  }

  async #reply(
    path: string,
    query: string,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    try {
      if (path === '/events' && req.method === 'GET') this.#stream(query, req, res);
      else send(req, res, await this.#page(path));
    } catch (error) {
      replyFailure(res, toNwsError(error));
      // Where a stream of events had begun, there is nothing more to say.
      if (!res.writableEnded) res.destroy();
    }
  }

  async #page(path: string): Promise<Page> {
    const { subject } = this.#options;
    switch (path) {
      case '/healthz':
        return { type: TEXT, body: 'ok\n' };
      case '/readyz': {
        const obstacle = subject.obstacle();
        if (obstacle === undefined) return { type: TEXT, body: 'ready\n' };
        return { status: 503, type: TEXT, body: `${obstacle}\n` };
      }
      case '/metrics':
        return metricsOf(subject);
      case '/status.json':
        return { type: 'application/json', body: `${JSON.stringify(this.#status())}\n` };
      default: {
        const asset = await assetFor(path);
        return asset ?? { status: 404, type: TEXT, body: `nws: no such page; ${PAGES}\n` };
      }
    }
  }

  #status(): object {
    const { subject } = this.#options;
    const summary = summaryOf(subject);
    this.#samples.take(summary);
    const now = Date.now();
    return {
      ...summary,
      relays: relaysOf(subject),
      streams: Array.from(subject.accounts.streams, (stream) => {
        return { ...streamRow(stream), ageSeconds: Math.round(stream.ageMs / 1_000) };
      }),
      pins: pinsOf(subject, MAX_ROWS),
      [subject.role === 'proxy' ? 'exits' : 'clients']: peersOf(subject, MAX_ROWS),
      targets: targetsOf(subject, MAX_ROWS),
      refused: subject.accounts.sums.refused,
      failed: subject.accounts.sums.failed,
      errors: errorsOf(subject),
      throughput: this.#samples.all,
      at: now,
    };
  }

  #stream(query: string, req: IncomingMessage, res: ServerResponse): void {
    if (this.#live.isFull) {
      const message = 'as many pages are open as are kept up to date at once';
      const hint = 'close one of them; status.json and metrics can always be read';
      replyFailure(res, new NwsError('connection_limit_reached', message, { hint }));
      return;
    }
    req.resume();
    res.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
    this.#live.add(res, new URLSearchParams(query));
  }
}

function send(req: IncomingMessage, res: ServerResponse, { status = 200, type, body }: Page): void {
  if (res.headersSent || res.destroyed) return;
  const own = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
  res.writeHead(status, { ...HEADERS, ...own });
  res.end(body);
  req.resume();
}
