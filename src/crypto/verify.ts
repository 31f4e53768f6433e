// Ids and signatures of Nostr events (NIP-01, BIP-340), and whether a value is an event at all.

import { createHash, hash } from 'node:crypto';
import type { Event as NostrEvent } from 'nostr-tools';
import { idParts, idText, isPlain } from '../protocol/wire/event-text.js';
import { secp256k1 } from '../secp256k1/secp256k1.js';

const HEX_32 = /^[0-9a-f]{64}$/;
const HEX_64 = /^[0-9a-f]{128}$/;
const MAX_KIND = 65_535;

/** The content's bytes in JSON, or whether it is known to be the same there, as base64 is. */
export type PlainContent = Buffer | boolean;

/** The 32-byte id: SHA-256 of the serialisation in NIP-01, which is what JSON.stringify writes. */
export function eventId(
  event: Omit<NostrEvent, 'id' | 'sig'>,
  plain: PlainContent = isPlain(event.content),
): Buffer {
  if (plain === false) return hash('sha256', idText(event), 'buffer');
  const [head, content, tail] = idParts(event);
  const sha256 = createHash('sha256').update(head);
  if (plain === true) sha256.update(content, 'latin1');
  else sha256.update(plain);
  return sha256.update(tail).digest();
}

/** Whether an unknown value is a complete event with the right id and signature. Never throws. */
export function verifyEvent(event: unknown, plain?: PlainContent): event is NostrEvent {
  try {
    if (!isEventShape(event)) return false;
    const id = eventId(event, plain);
    if (id.toString('hex') !== event.id) return false;
    const { pubkey, sig } = event;
    return secp256k1().verify(id, Buffer.from(pubkey, 'hex'), Buffer.from(sig, 'hex'));
  } catch {
    return false; // A value may throw wherever it is looked at.
  }
}

function isEventShape(value: unknown): value is NostrEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { id, pubkey, sig, kind, created_at, tags, content } = value as Record<string, unknown>;
  return (
    isMatch(id, HEX_32) &&
    isMatch(pubkey, HEX_32) &&
    isMatch(sig, HEX_64) &&
    isWhole(kind, MAX_KIND) &&
    isWhole(created_at, Number.MAX_SAFE_INTEGER) &&
    typeof content === 'string' &&
    Array.isArray(tags) &&
    tags.every(isTag)
  );
}

function isTag(tag: unknown): tag is string[] {
  return Array.isArray(tag) && tag.every((item) => typeof item === 'string');
}

function isMatch(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isWhole(value: unknown, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
}
