// What a web server in front of a relay may answer instead of a WebSocket: a redirect, which is followed if it leads to
// nothing less safe, or a refusal, which is told in words.
import type { IncomingMessage } from 'node:http';

/** We say who we are: some servers refuse a WebSocket whose client doesn't. */
export const USER_AGENT = 'nws';
/** Redirects in a row that are followed. */
export const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number | undefined> = new Set([301, 302, 307, 308]);

export type Answer = { readonly redirect: string } | { readonly failure: string };

/**
 * What to do after the answer to a handshake at `url`.
 * @param redirects how many were followed so far
 */
export function readAnswer(response: IncomingMessage, url: string, redirects: number): Answer {
  const { statusCode, statusMessage, headers } = response;
  const status = `${statusCode} ${statusMessage ?? ''}`.trim();
  if (!REDIRECTS.has(statusCode) || headers.location === undefined) {
    const pause = headers['retry-after'];
    const later = pause === undefined ? '' : `, and wants to be asked again after ${pause}`;
    return { failure: `the server refuses the WebSocket: ${status}${later}`.slice(0, 200) };
  }
  const target = relayUrl(headers.location, url);
  if (target === undefined) return { failure: `${status} to what is no relay's address` };
  if (url.startsWith('wss:') && target.startsWith('ws:')) {
    return { failure: `${status} from wss to ws, which is not followed: ${target}`.slice(0, 200) };
  }
  if (redirects >= MAX_REDIRECTS) return { failure: `more than ${MAX_REDIRECTS} redirects` };
  return { redirect: target };
}

function relayUrl(location: string, base: string): string | undefined {
  if (!URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  const text = url.href.replace(/^http/, 'ws').replace(/#.*$/, '');
  return /^wss?:/.test(text) ? text : undefined;
}
