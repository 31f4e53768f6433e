// What changes in a request between the entry and an HTTP target: path prefix, Host, forwarding
// headers. Pure.

import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { NwsError } from '../../errors.js';
import { endToEnd, replaceHeaders } from '../../http/headers.js';
import type { Target } from './target.js';

export interface HeaderEdit {
  /** Pubkey of the entry. */
  readonly entry: string | undefined;
  /** Host toward the target. */
  readonly host: string;
}

/**
 * Headers for the target. What the client says about forwarding is dropped, since the target would
 * trust it. X-Forwarded-For is `unknown` (RFC 7239, section 6.2): nobody here knows an address of
 * the client, and the entry's key is in X-Nostr-Entry. X-Forwarded-Host is the
 * client's own Host, whatever the target is sent.
 */
export function targetHeaders(req: IncomingMessage, edit: HeaderEdit): string[] {
  return replaceHeaders(endToEnd(req.rawHeaders), {
    Host: edit.host,
    Forwarded: undefined,
    'X-Real-IP': undefined,
    'X-Forwarded-Port': undefined,
    'X-Forwarded-Server': undefined,
    'X-Forwarded-For': 'unknown',
    'X-Forwarded-Host': req.headers.host,
    'X-Forwarded-Proto': req.socket instanceof TLSSocket ? 'https' : 'http',
    'X-Nostr-Entry': edit.entry,
  });
}

/** `.` and `..` segments, also percent-encoded and behind the backslash that some servers accept. */
const DOT_SEGMENT = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\]|%2f|%5c)/i;

/**
 * Path and query toward the target, behind its prefix. Reads the absolute form as well
 * (RFC 9112, section 3.2.2).
 * @throws NwsError `http_request_error` for other forms, and for dot segments that could leave the prefix.
 */
export function targetPath(url: string | undefined, target: Target): string {
  const path = (url ?? '').replace(/^https?:\/\/[^/?#]*/i, '');
  const whole = path.startsWith('?') || path === '' ? `/${path}` : path;
  if (!whole.startsWith('/')) {
    throw new NwsError('http_request_error', 'the request target is not a path');
  }
  if (target.path !== '' && DOT_SEGMENT.test(whole.split('?', 1)[0]!)) {
    throw new NwsError('http_request_error', 'the path leaves the part of the site served here');
  }
  return target.path + whole;
}
