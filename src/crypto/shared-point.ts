// Diffie-Hellman on secp256k1, the ground of NIP-04 and NIP-44 alike.

import { NwsError } from '../errors.js';
import { isPublicKey } from '../protocol/names/public-key.js';
import { secp256k1 } from '../secp256k1/secp256k1.js';

/**
 * The x coordinate of the point that both peers can compute: 32 bytes, to be hashed or used as a key.
 * @throws NwsError `bad_ciphertext` where one of the keys is none.
 */
export function sharedX(secretKey: Uint8Array, pubkey: string): Buffer {
  const curve = secp256k1();
  if (!curve.isSecretKey(secretKey))
    throw new NwsError('bad_ciphertext', 'secret key is out of range');
  if (!isPublicKey(pubkey)) throw new NwsError('bad_ciphertext', 'peer key is not on the curve');
  return Buffer.from(curve.sharedX(secretKey, Buffer.from(pubkey, 'hex')));
}
