// The curve by libsecp256k1 as WebAssembly, from the npm package `tiny-secp256k1`: runs everywhere.

import { randomBytes } from 'node:crypto';
import type * as Tiny from 'tiny-secp256k1';
import { challenge, EVEN, isNonce, isScalar, noncePoint, type PublicPoints } from './bip340.js';
import type { Curve } from './curve.js';

export function wasmCurve(tiny: typeof Tiny): Curve {
  const points = wasmPoints(tiny);
  return {
    name: 'wasm',
    isSecretKey: tiny.isPrivate,
    isPublicKey: tiny.isXOnlyPoint,
    signingKey(secretKey) {
      const secret = Uint8Array.from(secretKey);
      return {
        pubkey: tiny.xOnlyPointFromScalar(secret),
        sign: (message, auxiliary) => tiny.signSchnorr(message, secret, auxiliary),
      };
    },
    verify(message, pubkey, signature) {
      try {
        if (message.length === 32) return tiny.verifySchnorr(message, pubkey, signature);
        if (pubkey.length !== 32 || signature.length !== 64) return false;
        const r = signature.subarray(0, 32);
        const s = signature.subarray(32);
        const scalars = { s, e: challenge(r, pubkey, message), pubkey };
        const point = isScalar(s) ? noncePoint(points, scalars) : null;
        return point !== null && isNonce(point, r);
      } catch {
        return false; // It throws for a signature that is out of range.
      }
    },
    sharedX(secretKey, pubkey) {
      // Its multiplication takes a time that depends on the scalar. So it gets two that are random, each by itself,
      // and add up to the key.
      const point = Buffer.concat([Buffer.of(EVEN), pubkey]);
      const mask = randomScalar(tiny);
      const rest = tiny.privateSub(secretKey, mask);
      const left = tiny.pointMultiply(point, mask, false);
      const right = rest === null ? null : tiny.pointMultiply(point, rest, false);
      const sum = left === null || right === null ? null : tiny.pointAdd(left, right, true);
      if (sum === null) throw new Error('no shared point');
      return sum.subarray(1);
    },
  };
}

export function wasmPoints(tiny: typeof Tiny): PublicPoints {
  return {
    isPoint: tiny.isPoint,
    generate: (scalar) => tiny.pointFromScalar(scalar, false),
    multiply: (point, scalar) => tiny.pointMultiply(point, scalar, false),
    add: (left, right) => tiny.pointAdd(left, right, true),
    compress: (point) => tiny.pointCompress(point, true),
  };
}

function randomScalar(tiny: typeof Tiny): Uint8Array {
  for (;;) {
    const bytes = randomBytes(32);
    if (tiny.isPrivate(bytes)) return bytes;
  }
}
