// An event as text (NIP-01): what its id is the hash of, and what goes to a relay. Content of 50 KB is taken as it is where
// JSON would leave it so, which costs a tenth of looking at each of its characters. Pure.

import type { Event as NostrEvent } from 'nostr-tools';
import { decodeBase64 } from './base64.js';

type Unsigned = Omit<NostrEvent, 'id' | 'sig'>;

/** Below this many characters, JSON.stringify is as quick. */
const LEAST_CHARS = 512;

/** Of our own events: ids, a signature, one tag. */
const MAX_BEHIND_BYTES = 1_024;

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

/** The event's JSON with the fields of NIP-01 and no others, in UTF-8. */
export function eventBytes(event: NostrEvent): Buffer {
  const { content, created_at, id, kind, pubkey, sig, tags } = event;
  return Buffer.from(JSON.stringify({ content, created_at, id, kind, pubkey, sig, tags }));
}

/** The same where the content's bytes in JSON are at hand. */
export function eventBytesAround(content: Buffer, event: NostrEvent): Buffer {
  return Buffer.concat([Buffer.from(HEAD), content, Buffer.from(textBehind(event))]);
}

/**
 * The frame that publishes an event whose content is base64.
 * @param sign makes the event, of which the content's bytes in JSON are at hand already
 * @param allocate memory that the frame is written to
 */
export function publish(
  content: string,
  sign: (json: Buffer) => NostrEvent,
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe,
): { readonly event: NostrEvent; readonly frame: Buffer } {
  const from = FRAME_HEAD.length + HEAD.length;
  const to = from + content.length;
  const memory = allocate(to + MAX_BEHIND_BYTES);
  memory.write(FRAME_HEAD + HEAD, 'latin1');
  memory.write(content, from, 'latin1');
  const event = sign(memory.subarray(from, to));
  const end = to + memory.write(textBehind(event) + FRAME_TAIL, to);
  return { event, frame: memory.subarray(0, end) };
}

/** What follows the content. */
function textBehind({ created_at, id, kind, pubkey, sig, tags }: NostrEvent): string {
  return `",${JSON.stringify({ created_at, id, kind, pubkey, sig, tags }).slice(1)}`;
}

const HEAD = '{"content":"';
const FRAME_HEAD = '["EVENT",';
const FRAME_TAIL = ']';
/** What stands around an event in its frame. */
export const FRAME_OVERHEAD_BYTES = FRAME_HEAD.length + FRAME_TAIL.length;
