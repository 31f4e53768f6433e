// Diffie-Hellman on secp256k1, the ground of NIP-04 and NIP-44 alike.

import { NwsError } from '../errors.js';
import { isPublicKey } from '../protocol/names/public-key.js';
import { secp256k1 } from '../secp256k1.js';

/** First byte of a compressed point with an even y: which one an x-only key means (BIP-340). */
const EVEN = Buffer.from([2]);

/**
 * The x coordinate of the point that both peers can compute: 32 bytes, to be hashed or used as a key.
 * @throws NwsError `bad_ciphertext` where one of the keys is none.
 */
export function sharedX(secretKey: Uint8Array, pubkey: string): Buffer {
  const { isPrivate, pointMultiply } = secp256k1();
  if (!isPrivate(secretKey)) throw new NwsError('bad_ciphertext', 'secret key is out of range');
  if (!isPublicKey(pubkey)) throw new NwsError('bad_ciphertext', 'peer key is not on the curve');
  const point = pointMultiply(Buffer.concat([EVEN, Buffer.from(pubkey, 'hex')]), secretKey, true);
  if (point === null) throw new NwsError('bad_ciphertext', 'keys have no shared point');
  return Buffer.from(point.subarray(1));
}
