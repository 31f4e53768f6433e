// An event as text (NIP-01): what its id is the hash of, and what goes to a relay. Content of 50 KB is joined as it is where
// JSON would leave it so, which costs a tenth of looking at each of its characters. Pure.

import type { Event as NostrEvent } from 'nostr-tools';
import { decodeBase64 } from './base64.js';

/** Below this many characters, JSON.stringify is as quick. */
const LEAST_CHARS = 512;

/** Whether this is long, and surely the same in JSON, between quotes: base64 is. */
export function isPlain(content: unknown): content is string {
  if (typeof content !== 'string' || content.length < LEAST_CHARS) return false;
  return decodeBase64(content) !== undefined;
}

/**
 * What an event's id is the SHA-256 of.
 * @param plain the content is the same in JSON, as `isPlain` finds out
 */
export function idText(event: Omit<NostrEvent, 'id' | 'sig'>, plain: boolean): string {
  const { pubkey, created_at, kind, tags, content } = event;
  if (!plain) return JSON.stringify([0, pubkey, created_at, kind, tags, content]);
  const head = JSON.stringify([0, pubkey, created_at, kind, tags]).slice(0, -1);
  return `${head},"${content}"]`;
}

/** The event's JSON with the fields of NIP-01 and no others. See `idText`. */
export function eventText(event: NostrEvent, plain: boolean): string {
  const { content, created_at, id, kind, pubkey, sig, tags } = event;
  if (!plain) return JSON.stringify({ content, created_at, id, kind, pubkey, sig, tags });
  const rest = JSON.stringify({ created_at, id, kind, pubkey, sig, tags }).slice(1);
  return `{"content":"${content}",${rest}`;
}
