// s·G − e·P at its edges, which no signature that anybody could make would reach: by definition in both kinds, and quickly.

import { createRequire } from 'node:module';
import { expect } from 'chai';
import type * as Tiny from 'tiny-secp256k1';
import { isScalar, noncePoint, type PublicPoints, reduced } from '../../src/secp256k1/bip340.js';
import { type Binding, nativePoints, quickNoncePoint } from '../../src/secp256k1/native.js';
import { bindingOfPackage } from '../../src/secp256k1/secp256k1.js';
import { wasmPoints } from '../../src/secp256k1/wasm.js';
import { number, ORDER_HEX } from './values.js';

const ORDER = BigInt(`0x${ORDER_HEX}`);
const tiny = createRequire(import.meta.url)('tiny-secp256k1') as typeof Tiny;
const scalars = [0n, 1n, 2n, ORDER - 1n, ORDER - 2n, 2n ** 255n, 0xabcdefn ** 10n].map(number);
const generator = Buffer.from(tiny.xOnlyPointFromScalar(number(1n)));
const keys = [generator, Buffer.from(tiny.xOnlyPointFromScalar(number(0xabcdefn ** 9n)))];
/** The x of a point may be from n on; one in 2^128 is. */
const beyondOrder = firstPointFrom(ORDER);

function firstPointFrom(start: bigint): Buffer {
  for (let x = start; ; x += 1n) if (tiny.isXOnlyPoint(number(x))) return number(x);
}

function bindingOrNone(): Binding | undefined {
  try {
    return bindingOfPackage();
  } catch {
    return undefined;
  }
}

function pointOrNull(compute: () => Uint8Array | null): string | null {
  try {
    const point = compute();
    return point === null ? null : Buffer.from(point).toString('hex');
  } catch {
    return null;
  }
}

describe('secp256k1 s·G − e·P', () => {
  const binding = bindingOrNone();
  const kinds: PublicPoints[] = [wasmPoints(tiny), ...(binding ? [nativePoints(binding)] : [])];

  it('is a scalar times G where P is G, and nothing where it is infinite', () => {
    for (const s of scalars) {
      for (const e of scalars) {
        const difference = (big(s) - big(e) + ORDER) % ORDER;
        const expected = pointOrNull(() => tiny.pointFromScalar(number(difference), true));
        for (const points of kinds) {
          const scalarsAndKey = { s, e, pubkey: generator };
          expect(pointOrNull(() => noncePoint(points, scalarsAndKey))).to.equal(expected);
        }
      }
    }
  });

  it('is nothing where P is no point, even if it counts for nothing', () => {
    for (const e of scalars) {
      for (const bad of [number(0n), number(2n ** 256n - 1n), Buffer.alloc(31)]) {
        for (const points of kinds) {
          expect(pointOrNull(() => noncePoint(points, { s: number(1n), e, pubkey: bad }))).to.equal(
            null,
          );
        }
      }
    }
  });

  it('comes out the same quickly, or not at all', function quickly() {
    if (binding === undefined) return this.skip();
    for (const pubkey of keys) {
      for (const s of scalars) {
        for (const e of scalars) {
          const given = { s, e, pubkey };
          const quick = pointOrNull(() => quickNoncePoint(binding, given));
          const exact = pointOrNull(() => noncePoint(nativePoints(binding), given));
          const isPlain = big(s) !== 0n && big(e) !== 0n;
          expect(quick).to.equal(isPlain ? exact : null);
        }
      }
    }
  });

  it('is left to the definition for an x from n on', function beyond() {
    if (binding === undefined) return this.skip();
    expect(isScalar(beyondOrder)).to.equal(false);
    const given = { s: number(5n), e: number(7n), pubkey: beyondOrder };
    expect(quickNoncePoint(binding, given)).to.equal(null);
    const [first, second] = kinds.map((points) => pointOrNull(() => noncePoint(points, given)));
    expect(first).to.be.a('string').and.equal(second);
  });

  it('takes hashes from n on modulo n', () => {
    for (const value of [ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
      expect(isScalar(number(value))).to.equal(false);
      expect(big(reduced(number(value)))).to.equal(value - ORDER);
    }
    expect(isScalar(number(ORDER - 1n))).to.equal(true);
  });
});

function big(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
