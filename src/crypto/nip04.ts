// NIP-04 on node:crypto: AES-256-CBC under the x of the shared point. For NIP-443 peers that speak nothing newer.
// It has no MAC of its own: the event's signature, checked before, is what vouches for the bytes.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { NwsError } from '../errors.js';
import { DEFAULT_FRAME_BYTES } from '../limits.js';
import { decodeBase64 } from '../protocol/wire/base64.js';

const ALGORITHM = 'aes-256-cbc';
const IV_BYTES = 16;
const SEPARATOR = '?iv=';

/** Whether the content has the form of NIP-04; NIP-44 has no such characters. */
export function isNip04(content: string): boolean {
  return content.includes(SEPARATOR);
}

/**
 * @param key 32 bytes: the x of the point shared with the peer
 * @param iv 16 bytes, for tests only
 */
export function encrypt(
  plaintext: string | Uint8Array,
  key: Uint8Array,
  iv: Buffer = randomBytes(IV_BYTES),
): string {
  const cipher = createCipheriv(ALGORITHM, key, iv);
  const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext) : plaintext;
  const ciphertext = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return `${ciphertext.toString('base64')}${SEPARATOR}${iv.toString('base64')}`;
}

/** @throws NwsError `bad_ciphertext` */
export function decrypt(content: string, key: Uint8Array): Buffer {
  if (content.length > DEFAULT_FRAME_BYTES) throw bad('content is too long');
  const [ciphertext, iv, ...rest] = content.split(SEPARATOR).map(decodeBase64);
  if (ciphertext === undefined || iv?.length !== IV_BYTES || rest.length > 0) {
    throw bad('content is not base64 with an initialisation vector');
  }
  try {
    const decipher = createDecipheriv(ALGORITHM, key, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    throw bad('content does not decrypt'); // Says no more: the cause would tell padding from length.
  }
}

function bad(message: string): NwsError {
  return new NwsError('bad_ciphertext', message);
}
