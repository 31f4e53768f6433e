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
 * The event's JSON with the fields of NIP-01 and no others.
 * @param plain the content is the same in JSON, as `isPlain` finds out
 */
export function eventText(event: NostrEvent, plain: boolean): string {
  const { content, created_at, id, kind, pubkey, sig, tags } = event;
  if (!plain) return JSON.stringify({ content, created_at, id, kind, pubkey, sig, tags });
  const rest = JSON.stringify({ created_at, id, kind, pubkey, sig, tags }).slice(1);
  return `{"content":"${content}",${rest}`;
}

/** The frame that publishes an event with plain content, in ASCII. */
export function publishingFrame(event: NostrEvent): Buffer {
  const { content } = event;
  const [head, tail] = ['["EVENT",{"content":"', eventText({ ...event, content: '' }, true)];
  const rest = `${tail.slice('{"content":"'.length)}]`;
  const frame = Buffer.allocUnsafe(head.length + content.length + rest.length);
  const at = frame.write(head, 'latin1');
  frame.write(content, at, 'latin1');
  frame.write(rest, at + content.length, 'latin1');
  return frame;
}

/** What stands around an event in its frame. */
export const FRAME_OVERHEAD_BYTES = '["EVENT",]'.length;
