// The page that a browser shows where an answer of the proxy or exit stands in for the site's own: what is wrong in plain
// words, the reason as it is in the log, and what to do. No script, nothing from elsewhere.

import { STATUS_CODES } from 'node:http';
import type { ErrorCode, NwsError } from '../errors.js';

/** What may be in the page: its own style. */
export const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";

/** In the words of somebody who wants to read a page. */
const TITLES: Readonly<Partial<Record<ErrorCode, string>>> = {
  bad_name: 'This is no valid name',
  no_relay: 'Nobody knows where to look for this name',
  relay_unreachable: 'The way to this site is closed',
  relay_refused: 'The way to this site is closed',
  exit_unreachable: 'Nobody answers at this name',
  pin_mismatch: 'Whoever answers can’t prove to be this site',
  connection_refused: 'The site behind this name is not running',
  connection_timeout: 'The site behind this name does not answer',
  connection_read_timeout: 'The site behind this name does not answer',
  destination_unavailable: 'The site behind this name is not running',
  destination_ip_prohibited: 'This is not to be had here',
  http_request_denied: 'You are not let in here',
  shutting_down: 'The site is just being stopped',
};

export function failurePage(error: NwsError, message: string, hint: string | undefined): string {
  const status = `${error.status} ${STATUS_CODES[error.status] ?? 'Failure'}`;
  const title = TITLES[error.code] ?? 'This page can’t be shown';
  // Nothing of a request leaves before the certificate has matched.
  const calm =
    error.code === 'pin_mismatch' ? '<p>Nothing of your request was sent to it.</p>\n' : '';
  const advice =
    hint === undefined ? '' : `<h2>What helps</h2>\n<p>${withCode(sentence(hint))}</p>\n`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5a6878; --line: #d7dde5; --mark: #b4540a; --paper: #fbfcfd; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf5; --soft: #9fb0c3; --line: #2b3a4c; --mark: #f0a35e; --paper: #0f1620; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: min(16vh, 9rem) 1.5rem 3rem; }
h1 { margin: 0 0 1rem; padding-left: 0.9rem; border-left: 4px solid var(--mark); font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 1.75rem 0 0.25rem; font-size: 0.8rem; letter-spacing: 0.06em; text-transform: uppercase; color: var(--soft); }
p { margin: 0 0 0.75rem; overflow-wrap: anywhere; }
code { font: 0.85em ui-monospace, monospace; overflow-wrap: anywhere; }
a { color: inherit; }
footer { margin-top: 2.5rem; padding-top: 0.75rem; border-top: 1px solid var(--line); font-size: 0.85rem; color: var(--soft); }
</style>
<main>
<h1>${title}</h1>
<p>${withCode(sentence(message))}</p>
${calm}${advice}<footer><a href="">Try again</a> &middot; ${status} &middot; <code>${error.code}</code> &middot; answered by nws, not by the site</footer>
</main>
</html>
`;
}

/** Messages begin in lower case and end without a stop; names, flags and addresses stay as they are. */
function sentence(text: string): string {
  const begins = /^[a-z]+(?=[\s,;]|$)/.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text;
  return /[.?!]$/.test(begins) ? begins : `${begins}.`;
}

/** Keys, fingerprints and flags are shown as what they are. */
function withCode(text: string): string {
  return escapeHtml(text).replace(
    /(?<![\w-])(?:[0-9a-f]{64}|--[a-z-]+)(?![\w-])/g,
    '<code>$&</code>',
  );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
