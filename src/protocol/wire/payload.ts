// How much fits an event of a given size. Pure and exact: every number follows from the formats.
//
//   data ─ message (JSON with base64, or a frame) ─ encryption (padding, base64) ─ event JSON ≤ limit

import type { Event as NostrEvent } from 'nostr-tools';
import { DEFAULT_FRAME_BYTES } from '../../limits.js';
import type { Encoding } from './encoding.js';
import { messageEvent } from './events.js';
import { encodeMessage } from './message.js';

/** How the content of a message event is encrypted. */
export type Scheme = 'nip44' | 'nip04';

/** Longest plaintext of NIP-44 with its two-byte length, in bytes. */
export const MAX_NIP44_PLAINTEXT_BYTES = 65_535;
/** NIP-44 around the padded plaintext, in bytes: version, nonce, length, MAC. */
export const NIP44_OVERHEAD_BYTES = 1 + 32 + 2 + 32;

const AES_BLOCK_BYTES = 16;

/** Event JSON around the content. `created_at` has ten digits until the year 2286. */
const EVENT_OVERHEAD_BYTES = JSON.stringify({
  ...messageEvent('0'.repeat(64), '', 9_999_999_999),
  id: '0'.repeat(64),
  pubkey: '0'.repeat(64),
  sig: '0'.repeat(128),
} satisfies NostrEvent).length;

/**
 * The largest data of one DATA message, without `have`, that is alone in its event; 0 if none fits.
 * @param eventLimitBytes what the relay takes, in bytes of normalised event JSON
 */
export function maxDataBytes(eventLimitBytes: number, scheme: Scheme, encoding: Encoding): number {
  const room = plaintextCapacity(eventLimitBytes, scheme) - encoding.emptyBytes;
  return Math.max(0, encoding.dataBytes(room, 0));
}

/** The Go program copies a message into a buffer of this size, in bytes, and loses the rest. */
const MAX_PLAIN_BYTES = 32_768;

/** The largest data of one message to a NIP-443 peer, in bytes; 0 if none fits. */
export function maxPlainBytes(
  eventLimitBytes: number,
  scheme: Scheme,
  destination: string,
): number {
  const key = '00000000-0000-0000-0000-000000000000';
  const around = encodeMessage({ type: 'PLAIN', key, destination, data: Buffer.alloc(0) });
  const room = plaintextCapacity(eventLimitBytes, scheme) - Buffer.byteLength(around);
  return Math.min(MAX_PLAIN_BYTES, Math.max(0, Math.floor(room / 4) * 3));
}

/**
 * The largest plaintext, in bytes, whose message event stays within the limit; 0 if none does.
 * Never over what NIP-44 holds, nor over what fits a relay's WebSocket frame.
 */
export function plaintextCapacity(eventLimitBytes: number, scheme: Scheme): number {
  const limit = Math.min(eventLimitBytes, DEFAULT_FRAME_BYTES);
  // The size grows with the plaintext in steps (padding, blocks, base64), so the edge is found by halving.
  let fits = 0;
  let tooLarge = (scheme === 'nip44' ? MAX_NIP44_PLAINTEXT_BYTES : DEFAULT_FRAME_BYTES) + 1;
  while (tooLarge - fits > 1) {
    const middle = Math.floor((fits + tooLarge) / 2);
    if (eventBytes(middle, scheme) <= limit) fits = middle;
    else tooLarge = middle;
  }
  return fits;
}

/** Size of the message event's normalised JSON for a plaintext of so many bytes. */
export function eventBytes(plaintextBytes: number, scheme: Scheme): number {
  return EVENT_OVERHEAD_BYTES + contentBytes(plaintextBytes, scheme);
}

/** Length that NIP-44 pads a plaintext of 1 to 65,535 bytes to. */
export function paddedLength(plaintextBytes: number): number {
  if (plaintextBytes <= 32) return 32;
  const nextPower = 2 ** Math.ceil(Math.log2(plaintextBytes));
  const step = Math.max(32, nextPower / 8);
  return Math.ceil(plaintextBytes / step) * step;
}

function contentBytes(plaintextBytes: number, scheme: Scheme): number {
  if (scheme === 'nip44') return base64Length(paddedLength(plaintextBytes) + NIP44_OVERHEAD_BYTES);
  // PKCS#7 always adds at least one byte.
  const blocks = Math.floor(plaintextBytes / AES_BLOCK_BYTES) + 1;
  return base64Length(blocks * AES_BLOCK_BYTES) + '?iv='.length + base64Length(AES_BLOCK_BYTES);
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
