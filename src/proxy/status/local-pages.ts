// Requests for the proxy itself: health, PAC file, CA. Only for a loopback Host, so that a web page
// elsewhere, whose name may be made to point here (DNS rebinding), reads nothing.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { NwsError } from '../../errors.js';
import { isLoopbackHost, parseHostPort } from '../../http/host-port.js';
import { replyFailure } from '../../http/reply.js';

export interface LocalPagesOptions {
  /** The local CA's certificate, PEM. */
  readonly caPem: string;
  /** Why no request can be served now: no relay is up, or none serves our subscription. */
  readonly obstacle: () => string | undefined;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const TEXT = 'text/plain; charset=utf-8';

export class LocalPages {
  readonly #options: LocalPagesOptions;

  constructor(options: LocalPagesOptions) {
    this.#options = options;
  }

  /**
   * Answers a request for this proxy.
   * @param authority the host, and port, that the client asked for
   */
  serve(
    path: string,
    authority: string | undefined,
    req: IncomingMessage,
    res: ServerResponse,
  ): void {
    if (!isLoopback(authority)) {
      replyFailure(res, notForYou());
      return;
    }
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const { status, type, body } = isRead
      ? this.#page(path.replace(/\?.*/s, ''), authority)
      : { status: 405, type: TEXT, body: 'GET and HEAD only\n' };
    const length = Buffer.byteLength(body);
    const headers = { 'Content-Type': type, 'Content-Length': length, 'Cache-Control': 'no-store' };
    res.writeHead(status, { ...headers, 'X-Content-Type-Options': 'nosniff' });
    res.end(body);
    req.resume();
  }

  #page(path: string, authority: string): Page {
    switch (path) {
      case '/healthz':
        return { status: 200, type: TEXT, body: 'ok\n' };
      case '/readyz': {
        const obstacle = this.#options.obstacle();
        if (obstacle === undefined) return { status: 200, type: TEXT, body: 'ready\n' };
        return { status: 503, type: TEXT, body: `${obstacle}\n` };
      }
      case '/proxy.pac':
        return { status: 200, type: 'application/x-ns-proxy-autoconfig', body: pac(authority) };
      case '/ca.pem':
        return { status: 200, type: 'application/x-pem-file', body: this.#options.caPem };
      default:
        return { status: 404, type: TEXT, body: `nws: this is a proxy; ${PAGES}\n` };
    }
  }
}

const PAGES = 'for itself it answers /healthz, /readyz, /proxy.pac and /ca.pem';

function isLoopback(authority: string | undefined): authority is string {
  try {
    return isLoopbackHost(parseHostPort(authority ?? '', 80).host);
  } catch {
    return false;
  }
}

/** Under the name that the browser itself used to get here. */
function pac(authority: string): string {
  return `function FindProxyForURL(url, host) {
  if (dnsDomainIs(host, ".nostr")) return "PROXY ${authority}";
  return "DIRECT";
}
`;
}

function notForYou(): NwsError {
  return new NwsError(
    'http_request_denied',
    'this address is a proxy, and not the host you asked for',
    {
      hint: 'its own pages are for localhost and 127.0.0.1 alone',
    },
  );
}
