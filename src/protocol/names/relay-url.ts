// Relay URLs in one canonical form, so that the same relay is one link however it was written.

import { NwsError } from '../../errors.js';

/** Longest relay URL in bytes: nprofile counts it in one byte (NIP-19). */
export const MAX_RELAY_URL_BYTES = 255;

/**
 * The canonical form: host in lower case, no default port, no fragment, no slash behind a bare host.
 * @throws NwsError `bad_name` for anything but a ws:// or wss:// URL without credentials.
 */
export function normalizeRelayUrl(text: string): string {
  // Not repeated in errors: it may hold a password.
  if (text.length > MAX_RELAY_URL_BYTES)
    throw bad(`relay URL is longer than ${MAX_RELAY_URL_BYTES} bytes`);
  const url = parse(text);
  if (url === undefined) throw bad('relay is not a URL');
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw bad(`relay URL starts with ${url.protocol}//, not with ws:// or wss://`);
  }
  if (url.username !== '' || url.password !== '') throw bad('relay URL holds a user or a password');
  url.hash = '';
  const isBare = url.pathname === '/' && url.search === '';
  const canonical = isBare ? `${url.protocol}//${url.host}` : url.href;
  if (canonical.length > MAX_RELAY_URL_BYTES) {
    throw bad(`relay URL is longer than ${MAX_RELAY_URL_BYTES} bytes`);
  }
  return canonical;
}

function parse(text: string): URL | undefined {
  // Not URL.canParse(): once it is hot, Node 20 answers false for hosts beyond ASCII.
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function bad(message: string): NwsError {
  return new NwsError('bad_name', message, { hint: 'a relay looks like wss://relay.example' });
}
