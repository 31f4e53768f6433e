// Secret keys: making one, and reading one from text. Nothing here ever repeats a key in an error.

import { randomBytes } from 'node:crypto';
import { decode } from 'nostr-tools/nip19';
import { NwsError } from '../errors.js';
import { secp256k1 } from '../secp256k1/secp256k1.js';

/** 32 random bytes that are a scalar of secp256k1. */
export function generateSecretKey(): Uint8Array {
  for (;;) {
    const key = new Uint8Array(randomBytes(32));
    if (secp256k1().isSecretKey(key)) return key;
  }
}

/**
 * Reads 64 hex digits or an nsec, with white space around it.
 * @throws NwsError `bad_config`, without the text.
 */
export function parseSecretKey(text: string): Uint8Array {
  const trimmed = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(trimmed)
    ? Uint8Array.from(Buffer.from(trimmed, 'hex'))
    : nsecToBytes(trimmed);
  if (key !== undefined && secp256k1().isSecretKey(key)) return key;
  throw new NwsError('bad_config', 'not a secret key', {
    hint: 'give 64 hex digits or an nsec1…; `nws keygen` makes one',
  });
}

function nsecToBytes(nsec: string): Uint8Array | undefined {
  try {
    const decoded = decode(nsec);
    return decoded.type === 'nsec' ? decoded.data : undefined;
  } catch {
    return undefined; // Without the cause: its text repeats the key.
  }
}
