// Both kinds of the curve against the vectors of BIP-340, against each other, and with what is no key or signature.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Curve } from '../../src/secp256k1/curve.js';
import { loadCurve, loadWasm } from '../../src/secp256k1/secp256k1.js';
import { flipped, hex, ORDER_HEX } from './values.js';

interface Vector {
  readonly index: string;
  readonly secret: Buffer;
  readonly pubkey: Buffer;
  readonly auxiliary: Buffer;
  readonly message: Buffer;
  readonly signature: Buffer;
  readonly isValid: boolean;
}

const vectors: Vector[] = readFileSync(new URL('../vectors/bip-0340.csv', import.meta.url), 'utf8')
  .trim()
  .split(/\r?\n/)
  .slice(1)
  .map((line) => {
    const [index, secret, pubkey, auxiliary, message, signature, result] = line.split(',');
    return {
      index: index!,
      secret: hex(secret!),
      pubkey: hex(pubkey!),
      auxiliary: hex(auxiliary!),
      message: hex(message!),
      signature: hex(signature!),
      isValid: result === 'TRUE',
    };
  });

const wasm = loadWasm();
const { curve: inUse } = loadCurve();
const kinds: Curve[] = inUse.name === 'native' ? [inUse, wasm] : [wasm];

for (const curve of kinds) {
  describe(`secp256k1 by ${curve.name}`, () => {
    it('has all vectors of BIP-340', () => {
      expect(vectors.map(({ index }) => Number(index))).to.deep.equal([...Array(19).keys()]);
    });

    for (const { index, secret, pubkey, auxiliary, message, signature, isValid } of vectors) {
      it(`verifies vector ${index} as BIP-340 says`, () => {
        expect(curve.verify(message, pubkey, signature)).to.equal(isValid);
      });
      // WebAssembly signs 32 bytes, which is what an event's id has.
      if (secret.length === 0 || (curve.name === 'wasm' && message.length !== 32)) continue;
      it(`signs vector ${index} as BIP-340 says`, () => {
        const key = curve.signingKey(secret);
        expect(Buffer.from(key.pubkey)).to.deep.equal(pubkey);
        expect(Buffer.from(key.sign(message, auxiliary))).to.deep.equal(signature);
      });
    }

    it('says false to every changed byte, of message, key and signature', () => {
      for (const { pubkey, message, signature } of vectors.filter(({ isValid }) => isValid)) {
        for (const bad of flipped(message)) {
          expect(curve.verify(bad, pubkey, signature)).to.equal(false);
        }
        for (const bad of flipped(pubkey)) {
          expect(curve.verify(message, bad, signature)).to.equal(false);
        }
        for (const bad of flipped(signature)) {
          expect(curve.verify(message, pubkey, bad)).to.equal(false);
        }
      }
    });

    it('says false, and throws nothing, for scalars and points out of range and wrong lengths', () => {
      const { pubkey, message, signature } = vectors[1]!;
      const [zero, most, order] = [Buffer.alloc(32), Buffer.alloc(32, 255), hex(ORDER_HEX)];
      const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
      const nothing = Buffer.alloc(0);
      for (const text of [message, nothing, Buffer.alloc(33)]) {
        for (const key of [pubkey, zero, most, order, nothing, Buffer.alloc(33, 2)]) {
          const values = [zero, most, order, r, s, nothing, Buffer.alloc(31)];
          for (const left of values) {
            for (const right of values) {
              if (text === message && key === pubkey && left === r && right === s) continue;
              const forged = Buffer.concat([left, right]);
              expect(curve.verify(text, key, forged)).to.equal(false);
            }
          }
        }
      }
    });

    it('knows keys from other bytes', () => {
      const one = Buffer.from(`${'00'.repeat(31)}01`, 'hex');
      const last = hex(`${ORDER_HEX.slice(0, -1)}0`);
      for (const key of [one, last]) expect(curve.isSecretKey(key)).to.equal(true);
      const wrong = [Buffer.alloc(32), hex(ORDER_HEX), Buffer.alloc(32, 255), one.subarray(1)];
      for (const key of [...wrong, Buffer.alloc(33, 1), Buffer.alloc(0)]) {
        expect(curve.isSecretKey(key)).to.equal(false);
        expect(() => curve.signingKey(key)).to.throw();
        expect(() => curve.sharedX(key, vectors[0]!.pubkey)).to.throw();
      }
      expect(curve.isPublicKey(vectors[0]!.pubkey)).to.equal(true);
      for (const key of [vectors[5]!.pubkey, vectors[14]!.pubkey, ...wrong.slice(2)]) {
        expect(curve.isPublicKey(key)).to.equal(false);
        expect(() => curve.sharedX(one, key)).to.throw();
      }
    });

    it('leaves the bytes that it is given as they are', () => {
      const { secret, pubkey, auxiliary, message, signature } = vectors[2]!;
      const given = [secret, pubkey, auxiliary, message, signature];
      const before = given.map((bytes) => bytes.toString('hex'));
      curve.signingKey(secret).sign(message, auxiliary);
      curve.verify(message, pubkey, signature);
      curve.sharedX(secret, pubkey);
      expect(given.map((bytes) => bytes.toString('hex'))).to.deep.equal(before);
    });

    it('has the same shared point on both sides', () => {
      const [a, b] = [vectors[1]!, vectors[2]!];
      const shared = Buffer.from(curve.sharedX(a.secret, b.pubkey));
      expect(shared).to.have.lengthOf(32);
      expect(shared).to.deep.equal(Buffer.from(curve.sharedX(b.secret, a.pubkey)));
    });
  });
}

describe('secp256k1 by machine code and by WebAssembly', () => {
  const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength: length, maxLength: length });
  const secrets = bytes(32).filter((secret) => wasm.isSecretKey(secret));

  before(function skipWithoutMachineCode() {
    if (kinds.length < 2) this.skip();
  });

  it('sign the same, verify each other, and share the same point', () => {
    fc.assert(
      fc.property(secrets, secrets, bytes(32), bytes(32), (secret, other, message, auxiliary) => {
        const [ours, theirs] = [inUse.signingKey(secret), wasm.signingKey(secret)];
        expect(Buffer.from(ours.pubkey)).to.deep.equal(Buffer.from(theirs.pubkey));
        const signature = Buffer.from(ours.sign(message, auxiliary));
        expect(signature).to.deep.equal(Buffer.from(theirs.sign(message, auxiliary)));
        for (const curve of kinds) {
          expect(curve.verify(message, ours.pubkey, signature)).to.equal(true);
        }
        const peer = wasm.signingKey(other).pubkey;
        expect(Buffer.from(inUse.sharedX(secret, peer))).to.deep.equal(
          Buffer.from(wasm.sharedX(secret, peer)),
        );
      }),
      { numRuns: 150 },
    );
  });

  it('agree about other lengths of messages', () => {
    fc.assert(
      fc.property(secrets, fc.uint8Array({ maxLength: 200 }), (secret, message) => {
        const { pubkey, sign } = inUse.signingKey(secret);
        const signature = sign(message, createHash('sha256').update(message).digest());
        expect(wasm.verify(message, pubkey, signature)).to.equal(true);
        expect(inUse.verify(message, pubkey, signature)).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it('agree about bytes of any kind', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.oneof(bytes(32), fc.uint8Array({ maxLength: 40 })),
        fc.oneof(bytes(64), fc.uint8Array({ maxLength: 70 })),
        (message, pubkey, signature) => {
          expect(inUse.isPublicKey(pubkey)).to.equal(wasm.isPublicKey(pubkey));
          expect(inUse.isSecretKey(pubkey)).to.equal(wasm.isSecretKey(pubkey));
          expect(inUse.verify(message, pubkey, signature)).to.equal(false);
          expect(wasm.verify(message, pubkey, signature)).to.equal(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
