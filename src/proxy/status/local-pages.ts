// The pages of a proxy about itself: those of status/, and what browsers and tools need to use it, a PAC file and the CA.

import { StatusPages } from '../../status/serving/pages.js';
import type { Subject } from '../../status/state/watch.js';

export interface LocalPagesOptions {
  /** The local CA's certificate, PEM. */
  readonly caPem: string;
  readonly subject: Subject;
}

export function localPages({ caPem, subject }: LocalPagesOptions): StatusPages {
  return new StatusPages({
    subject,
    more: (path, authority) => {
      if (path === '/proxy.pac') {
        return { type: 'application/x-ns-proxy-autoconfig', body: pac(authority) };
      }
      return path === '/ca.pem' ? { type: 'application/x-pem-file', body: caPem } : undefined;
    },
  });
}

/** Under the name that the browser itself used to get here. */
function pac(authority: string): string {
  return `function FindProxyForURL(url, host) {
  if (dnsDomainIs(host, ".nostr")) return "PROXY ${authority}";
  return "DIRECT";
}
`;
}
