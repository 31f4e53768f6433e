// What changes in a request between the entry and an HTTP target: path prefix, Host, forwarding
// headers. Pure.

import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { NwsError } from '../../errors.js';
import { endToEnd, escaped, type RawHeaders, replaceHeaders } from '../../http/headers.js';
import type { Target } from './target.js';

export interface HeaderEdit {
  /** Pubkey of the entry. */
  readonly entry: string | undefined;
  /** Host toward the target. */
  readonly host: string;
  /** What requests are given in front of their path. */
  readonly prefix: string;
}

/** What an entry's requests are: of these, nobody but we ourselves may tell the target anything. */
const OURS = {
  'X-Forwarded-For': undefined,
  'X-Forwarded-Port': undefined,
  'X-Forwarded-Server': undefined,
  'X-Real-IP': undefined,
} as const;

/**
 * Headers for the target. What the client says about forwarding is dropped, since the target would
 * trust it, and so are names with an underscore: CGI, WSGI and PHP can't tell `X_Nostr_Entry` from our
 * own field. No X-Forwarded-For is added: nobody here knows an address of the client, and targets want an address
 * or nothing there; Forwarded may say `unknown` (RFC 7239, section 6.2), and the entry's key is in X-Nostr-Entry.
 * X-Forwarded-Host is the client's own Host, whatever the target is sent.
 */
export function targetHeaders(req: IncomingMessage, edit: HeaderEdit): string[] {
  const { host } = req.headers;
  const scheme = req.socket instanceof TLSSocket ? 'https' : 'http';
  const fields = replaceHeaders(withoutUnderscores(endToEnd(req.rawHeaders)), {
    ...OURS,
    Host: edit.host,
    Forwarded: forwarded(host, scheme),
    'X-Forwarded-Host': host,
    'X-Forwarded-Proto': scheme,
    'X-Forwarded-Prefix': edit.prefix || undefined,
    'X-Nostr-Entry': edit.entry,
  });
  return edit.host === host ? fields : withOrigin(fields, host, edit.host);
}

function withoutUnderscores(raw: RawHeaders): string[] {
  return raw.filter((_item, index) => !raw[index - (index % 2)]!.includes('_'));
}

/** RFC 7239; a host that needs quotes has them. */
function forwarded(host: string | undefined, scheme: string): string {
  const by = host === undefined || /["\\]/.test(host) ? '' : `;host="${host}"`;
  return `for=unknown${by};proto=${scheme}`;
}

/** Where the target is told another Host, it compares Origin and Referer with that one. */
function withOrigin(fields: readonly string[], from: string | undefined, to: string): string[] {
  if (from === undefined) return [...fields];
  const edited = [...fields];
  for (let index = 0; index + 1 < edited.length; index += 2) {
    if (!/^(?:origin|referer)$/i.test(edited[index]!)) continue;
    edited[index + 1] = edited[index + 1]!.replace(/^(https?:\/\/)([^/]*)/i, (whole, scheme, at) =>
      at.toLowerCase() === from.toLowerCase() ? `${scheme}${to}` : whole,
    );
  }
  return edited;
}

/** `.` and `..` segments, also percent-encoded and behind the backslash that some servers accept. */
const DOT_SEGMENT = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\]|%2f|%5c)/i;

/**
 * Path and query toward the target, behind its prefix. Reads the absolute form as well
 * (RFC 9112, section 3.2.2), and `*`, which is about the server and no path (3.2.4).
 * @throws NwsError `http_request_error` for other forms, and for dot segments that could leave the prefix.
 */
export function targetPath(url: string | undefined, target: Target): string {
  if (url === '*') return target.path === '' ? url : target.path;
  const path = (url ?? '').replace(/^https?:\/\/[^/?#]*/i, '');
  const whole = path.startsWith('?') || path === '' ? `/${path}` : path;
  if (!whole.startsWith('/')) {
    throw new NwsError('http_request_error', 'the request target is not a path');
  }
  if (target.path !== '' && DOT_SEGMENT.test(whole.split('?', 1)[0]!)) {
    throw new NwsError('http_request_error', 'the path leaves the part of the site served here');
  }
  return escaped(target.path + whole); // by HTTP/2 it comes as it was typed
}
