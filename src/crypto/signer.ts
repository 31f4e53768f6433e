// One Nostr identity: signs events and talks secretly to peers, and never shows its key.
// Event ids and signatures of others are checked by verify.ts.

import type { EventTemplate, Event as NostrEvent } from 'nostr-tools';
import { remember } from '../common/remember.js';
import { NwsError } from '../errors.js';
import { DEFAULT_FRAME_BYTES } from '../limits.js';
import type { Scheme } from '../protocol/wire/payload.js';
import { secp256k1 } from '../secp256k1/secp256k1.js';
import * as nip04 from './nip04.js';
import * as nip44 from './nip44.js';
import { randomHandful } from './random.js';
import { sharedX } from './shared-point.js';
import { eventId, type PlainContent } from './verify.js';

export { isPublicKey } from '../protocol/names/public-key.js';
export type { Scheme } from '../protocol/wire/payload.js';
export { generateSecretKey, parseSecretKey } from './secret-key.js';
export { type PlainContent, verifyEvent } from './verify.js';

/** What a peer has said, and the scheme that it was encrypted by. */
export interface Decrypted {
  /** The bytes: text, or a frame. */
  readonly plaintext: Buffer;
  /** NIP-44, or NIP-04 of older peers. */
  readonly scheme: Scheme;
}

/** One Nostr identity, which signs and encrypts and never shows its key. */
export interface Signer {
  /** 32-byte x-only key, lower-case hex. */
  readonly pubkey: string;
  /**
   * Completes an event with id and BIP-340 signature.
   * @param plain default: whether it is is looked for
   */
  sign(template: EventTemplate, plain?: PlainContent): NostrEvent;
  /**
   * @param scheme NIP-44 unless said otherwise
   * @throws NwsError `bad_message` for a plaintext that doesn't fit, `bad_ciphertext` for an invalid peer.
   */
  encrypt(peer: string, plaintext: string | Uint8Array, scheme?: Scheme): string;
  /**
   * Reads either scheme, and tells which. The event's signature must have been checked before.
   * @param bytes of the base64 in `content`, where they are at hand
   * @throws NwsError `bad_ciphertext`
   */
  decrypt(peer: string, content: string, bytes?: Buffer): Decrypted;
}

/** Peers whose keys are kept: 64 bytes each, a point multiplication saved for each event. */
const MAX_CACHED_PEERS = 4_096;

/**
 * @param secretKey 32 bytes; copied, so the caller may wipe its own
 * @throws NwsError `bad_config` where it is no scalar of the curve.
 */
export function createSigner(secretKey: Uint8Array): Signer {
  const curve = secp256k1();
  if (!curve.isSecretKey(secretKey)) throw new NwsError('bad_config', 'secret key is out of range');
  const secret = Uint8Array.from(secretKey);
  const signing = curve.signingKey(secret);
  const pubkey = Buffer.from(signing.pubkey).toString('hex');
  const keysOf = remember(MAX_CACHED_PEERS, (peer): Readonly<Record<Scheme, Buffer>> => {
    const x = sharedX(secret, peer);
    return { nip04: x, nip44: nip44.conversationKeyOf(x) };
  });
  return {
    pubkey,
    sign({ kind, created_at, tags, content }, plain) {
      const unsigned = { pubkey, created_at, kind, tags, content };
      const id = eventId(unsigned, plain);
      const sig = signing.sign(id, randomHandful(32));
      return { id: id.toString('hex'), ...unsigned, sig: Buffer.from(sig).toString('hex') };
    },
    encrypt(peer, plaintext, scheme = 'nip44') {
      const { encrypt } = scheme === 'nip44' ? nip44 : nip04;
      return encrypt(plaintext, keysOf(peer)[scheme]);
    },
    decrypt(peer, content, bytes) {
      if (content.length > DEFAULT_FRAME_BYTES) {
        throw new NwsError('bad_ciphertext', 'content is too long');
      }
      const scheme = nip04.isNip04(content) ? 'nip04' : 'nip44';
      const key = keysOf(peer)[scheme];
      const isNip44 = scheme === 'nip44';
      const plaintext = isNip44 ? nip44.decrypt(content, key, bytes) : nip04.decrypt(content, key);
      return { plaintext, scheme };
    },
  };
}
