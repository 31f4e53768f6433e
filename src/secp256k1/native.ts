// The curve by libsecp256k1 as machine code, from the npm package `secp256k1`: four times as fast as WebAssembly. That
// package knows nothing of Schnorr, so BIP-340 is put together here, from its operations.
//
// What touches a secret is privateKey…, publicKeyCreate and ecdh alone, which take the same time for every secret.

import { randomBytes } from 'node:crypto';
import {
  auxiliaryHash,
  challenge,
  EVEN,
  isNonce,
  isScalar,
  nonceHash,
  noncePoint,
  type PublicPoints,
  reduced,
} from './bip340.js';
import type { Curve, SigningKey } from './curve.js';

type Bytes = Uint8Array;

/** The part of the package's interface that is used here. Each throws for input that is no key or has no result. */
export interface Binding {
  contextRandomize(seed: Bytes): void;
  privateKeyVerify(key: Bytes): boolean;
  /** These three change `key` and return it. */
  privateKeyNegate(key: Bytes): Bytes;
  privateKeyTweakAdd(key: Bytes, tweak: Bytes): Bytes;
  privateKeyTweakMul(key: Bytes, tweak: Bytes): Bytes;
  publicKeyVerify(point: Bytes): boolean;
  publicKeyCreate(key: Bytes, compressed?: boolean): Bytes;
  publicKeyConvert(point: Bytes, compressed?: boolean): Bytes;
  publicKeyTweakMul(point: Bytes, tweak: Bytes, compressed?: boolean): Bytes;
  publicKeyCombine(points: readonly Bytes[], compressed?: boolean): Bytes;
  ecdsaRecover(signature: Bytes, recoveryId: number, hash: Bytes, compressed?: boolean): Bytes;
  ecdh(
    point: Bytes,
    key: Bytes,
    options: { hashfn: (x: Bytes, y: Bytes) => Bytes },
    output: Bytes,
  ): Bytes;
}

export function nativeCurve(binding: Binding): Curve {
  binding.contextRandomize(randomBytes(32)); // blinds k·G against whoever measures it
  const points = nativePoints(binding);
  return {
    name: 'native',
    isSecretKey: (bytes) => bytes.length === 32 && binding.privateKeyVerify(bytes),
    isPublicKey: (x) => x.length === 32 && binding.publicKeyVerify(withEvenY(x)),
    signingKey: (secretKey) => signingKey(binding, secretKey),
    verify(message, pubkey, signature) {
      if (pubkey.length !== 32 || signature.length !== 64) return false;
      const r = signature.subarray(0, 32);
      const s = signature.subarray(32);
      if (!isScalar(s)) return false;
      try {
        const scalars = { s, e: challenge(r, pubkey, message), pubkey };
        const point = quickNoncePoint(binding, scalars) ?? noncePoint(points, scalars);
        return point !== null && isNonce(point, r);
      } catch {
        return false;
      }
    },
    sharedX(secretKey, pubkey) {
      // What the hash function gets is x and y; x is all that is asked.
      return binding.ecdh(withEvenY(pubkey), secretKey, { hashfn: (x) => x }, new Uint8Array(32));
    },
  };
}

export function nativePoints(binding: Binding): PublicPoints {
  return {
    isPoint: (point) => binding.publicKeyVerify(point),
    generate: (scalar) => binding.publicKeyCreate(scalar, false),
    multiply: (point, scalar) => binding.publicKeyTweakMul(point, scalar, false),
    add: (left, right) => binding.publicKeyCombine([left, right], true),
    compress: (point) => binding.publicKeyConvert(point, true),
  };
}

function signingKey(binding: Binding, secretKey: Bytes): SigningKey {
  const point = binding.publicKeyCreate(secretKey);
  const secret = negatedIfOdd(binding, Uint8Array.from(secretKey), point);
  const pubkey = point.subarray(1);
  return {
    pubkey,
    sign(message, auxiliary) {
      const masked = auxiliaryHash(auxiliary);
      for (let i = 0; i < 32; i += 1) masked[i]! ^= secret[i]!;
      const hashed = nonceHash(masked, pubkey, message);
      const nonce = binding.privateKeyVerify(hashed) ? hashed : reduced(hashed);
      const nonceAt = binding.publicKeyCreate(nonce);
      negatedIfOdd(binding, nonce, nonceAt);
      const r = nonceAt.subarray(1);
      // s = k + e·d. Throws for an e or s of 0, which nobody will ever meet.
      const s = binding.privateKeyTweakMul(Uint8Array.from(secret), challenge(r, pubkey, message));
      binding.privateKeyTweakAdd(s, nonce);
      masked.fill(0);
      nonce.fill(0);
      return Buffer.concat([r, s]);
    },
  };
}

/** Negates a secret, in place, whose point has an odd y. Which of both it was says nothing about it. */
function negatedIfOdd(binding: Binding, secret: Bytes, point: Bytes): Bytes {
  return point[0] === EVEN ? secret : binding.privateKeyNegate(secret);
}

/**
 * s·G − e·P in one operation instead of three, a quarter quicker: recovering a key from an ECDSA signature (r, s′) of m is
 * r⁻¹·(s′·R − m·G) with the R that has this r as its x. Given R = P, s′ = −e·x and m = −s·x, where x is P's, that is
 * it. Null where it doesn't come out (e or s of 0, an x from n on, no such point): `noncePoint` then decides.
 */
export function quickNoncePoint(
  binding: Binding,
  { s, e, pubkey }: { s: Bytes; e: Bytes; pubkey: Bytes },
): Bytes | null {
  try {
    const minusX = binding.privateKeyNegate(Uint8Array.from(pubkey));
    const scaled = binding.privateKeyTweakMul(Uint8Array.from(minusX), e);
    const hash = binding.privateKeyTweakMul(minusX, s);
    const yIsEven = 0;
    return binding.ecdsaRecover(Buffer.concat([pubkey, scaled]), yIsEven, hash, true);
  } catch {
    return null;
  }
}

function withEvenY(x: Bytes): Buffer {
  return Buffer.concat([Buffer.of(EVEN), x]);
}
