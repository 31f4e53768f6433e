// An event as text (NIP-01): what its id is the hash of, and what goes to a relay. Content of 50 KB is taken as it is where
// JSON would leave it so, which costs a tenth of looking at each of its characters. Pure.

import type { Event as NostrEvent } from 'nostr-tools';
import { decodeBase64 } from './base64.js';

type Unsigned = Omit<NostrEvent, 'id' | 'sig'>;

/** Below this many characters, JSON.stringify is as quick. */
const LEAST_CHARS = 512;

/** Whether this is long, and surely the same in JSON, between quotes: base64 is. */
export function isPlain(content: unknown): content is string {
  if (typeof content !== 'string' || content.length < LEAST_CHARS) return false;
  return decodeBase64(content) !== undefined;
}

/** What an event's id is the SHA-256 of. */
export function idText({ pubkey, created_at, kind, tags, content }: Unsigned): string {
  return JSON.stringify([0, pubkey, created_at, kind, tags, content]);
}

/** The same in parts, where the content is plain. */
export function idParts(event: Unsigned): [head: string, content: string, tail: string] {
  const head = idText({ ...event, content: '' });
  return [head.slice(0, -END.length), event.content, END];
}
const END = '"]';

/**
 * The event's JSON with the fields of NIP-01 and no others, in UTF-8.
 * @param plain the content is the same in JSON, as `isPlain` finds out
 */
export function eventBytes(event: NostrEvent, plain: boolean): Buffer {
  return written('', event, '', plain);
}

/** The frame that publishes an event with plain content. */
export function publishingFrame(event: NostrEvent): Buffer {
  return written(FRAME_HEAD, event, FRAME_TAIL, true);
}

/** Content by itself, in the one place where it isn't looked at. */
function written(before: string, event: NostrEvent, behind: string, plain: boolean): Buffer {
  const { content, created_at, id, kind, pubkey, sig, tags } = event;
  const inside = plain ? content : JSON.stringify(content).slice(1, -1);
  const head = `${before}{"content":"`;
  const rest = `",${JSON.stringify({ created_at, id, kind, pubkey, sig, tags }).slice(1)}${behind}`;
  const encoding = plain ? 'latin1' : 'utf8';
  const insideBytes = plain ? content.length : Buffer.byteLength(inside);
  const bytes = Buffer.allocUnsafe(head.length + insideBytes + Buffer.byteLength(rest));
  const at = bytes.write(head, 'latin1');
  bytes.write(inside, at, encoding);
  bytes.write(rest, at + insideBytes);
  return bytes;
}

const FRAME_HEAD = '["EVENT",';
const FRAME_TAIL = ']';
/** What stands around an event in its frame. */
export const FRAME_OVERHEAD_BYTES = FRAME_HEAD.length + FRAME_TAIL.length;
