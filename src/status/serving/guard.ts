// Who may read the pages about this program: nobody by a name that isn't ours (DNS rebinding), and no web page of
// another origin. A browser says of itself where a request comes from; other programs may read what they reach.

import type { IncomingMessage } from 'node:http';
import { NwsError } from '../../errors.js';
import { isLoopbackHost, parseHostPort } from '../../http/host-port.js';

/** Whether host and port, as the client wrote them, are a name of this machine for itself. */
export function isLoopbackAuthority(authority: string): boolean {
  try {
    return isLoopbackHost(parseHostPort(authority, 80).host);
  } catch {
    return false;
  }
}

/** The refusal of a request for a host that isn't ours. */
export function notForYou(): NwsError {
  return new NwsError('http_request_denied', 'this address is not the host you asked for', {
    hint: 'these pages are for localhost and 127.0.0.1 alone',
  });
}

/**
 * The refusal of a request that a web page of another origin makes; undefined for any other. Whoever follows a link
 * to here may come: the page that it is on learns nothing.
 * @param authority the host, and port, that the request is for
 */
export function refusalOfOrigin(
  { headers }: Pick<IncomingMessage, 'headers'>,
  authority: string,
): NwsError | undefined {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  const isOwnOrigin =
    origin === undefined || origin.toLowerCase() === `http://${authority}`.toLowerCase();
  const isVisit =
    headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  const isFromHere = site === undefined || site === 'same-origin' || site === 'none' || isVisit;
  if (isOwnOrigin && isFromHere) return undefined;
  return new NwsError('http_request_denied', 'these pages are not for other web pages', {
    hint: 'open them in a tab of their own',
  });
}
