// Public keys as text: 32-byte x-only points of secp256k1 (BIP-340) in lower-case hex, or npub (NIP-19).

import { decode } from 'nostr-tools/nip19';
import { NwsError } from '../../errors.js';
import { secp256k1 } from '../../secp256k1/secp256k1.js';

const HEX_KEY = /^[0-9a-f]{64}$/;

/** Whether this is lower-case hex of a point on the curve; about half of all 32-byte values are none. */
export function isPublicKey(hex: string): boolean {
  return HEX_KEY.test(hex) && secp256k1().isPublicKey(Buffer.from(hex, 'hex'));
}

/**
 * Reads hex or npub, in either case.
 * @throws NwsError `bad_name`; the text itself is not repeated, since it may be a secret key given by mistake.
 */
export function parsePublicKey(text: string): string {
  const lower = text.trim().toLowerCase();
  const hex = lower.startsWith('npub1') ? npubToHex(lower) : lower;
  if (hex !== undefined && isPublicKey(hex)) return hex;
  throw new NwsError('bad_name', 'not a public key', {
    hint: 'give 64 hex digits or an npub1…',
  });
}

function npubToHex(npub: string): string | undefined {
  try {
    const decoded = decode(npub);
    return decoded.type === 'npub' ? decoded.data : undefined;
  } catch {
    return undefined;
  }
}
