// NIP-44 against the official vectors and against nostr-tools.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import * as reference from 'nostr-tools/nip44';
import * as nip44 from '../../src/crypto/nip44.js';
import { paddedLength } from '../../src/protocol/wire/payload.js';
import { expectError } from '../support/expect-error.js';

interface Case {
  readonly [field: string]: string;
}
interface Vectors {
  readonly valid: {
    readonly get_conversation_key: readonly Case[];
    readonly get_message_keys: { readonly conversation_key: string; readonly keys: Case[] };
    readonly calc_padded_len: readonly (readonly [number, number])[];
    readonly encrypt_decrypt: readonly Case[];
    readonly encrypt_decrypt_long_msg: readonly (Case & { readonly repeat: number })[];
  };
  readonly invalid: {
    readonly encrypt_msg_lengths: readonly number[];
    readonly get_conversation_key: readonly Case[];
    readonly decrypt: readonly Case[];
  };
}

const file = new URL('../vectors/nip44.vectors.json', import.meta.url);
const { v2 } = JSON.parse(readFileSync(file, 'utf8')) as { v2: Vectors };

const { conversationKey, encrypt, messageKeys } = nip44;
const decrypt = (payload: string, key: Buffer): string => String(nip44.decrypt(payload, key));
const bytes = (hex: string | undefined): Buffer => Buffer.from(hex ?? '', 'hex');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const KEY = bytes('c41c775356fd92eadc63ff5a0dc1da211b268cbea22316767095b2871ea1412d');

describe('crypto/nip44 against the official vectors', () => {
  it('derives every conversation key', () => {
    for (const { sec1, pub2, conversation_key } of v2.valid.get_conversation_key) {
      expect(conversationKey(bytes(sec1), pub2 ?? '').toString('hex')).to.equal(conversation_key);
    }
  });

  it('derives every message key', () => {
    const { conversation_key, keys } = v2.valid.get_message_keys;
    for (const expected of keys) {
      const { chachaKey, chachaNonce, hmacKey } = messageKeys(
        bytes(conversation_key),
        bytes(expected.nonce),
      );
      expect(chachaKey.toString('hex')).to.equal(expected.chacha_key);
      expect(chachaNonce.toString('hex')).to.equal(expected.chacha_nonce);
      expect(hmacKey.toString('hex')).to.equal(expected.hmac_key);
    }
  });

  it('pads to every length', () => {
    for (const [length, padded] of v2.valid.calc_padded_len) {
      expect(paddedLength(length), `${length} bytes`).to.equal(padded);
    }
  });

  it('encrypts to the same payload and decrypts it', () => {
    for (const { conversation_key, nonce, plaintext, payload } of v2.valid.encrypt_decrypt) {
      expect(encrypt(plaintext ?? '', bytes(conversation_key), bytes(nonce))).to.equal(payload);
      expect(decrypt(payload ?? '', bytes(conversation_key))).to.equal(plaintext);
    }
  });

  it('encrypts and decrypts the long messages', () => {
    for (const test of v2.valid.encrypt_decrypt_long_msg) {
      const plaintext = (test.pattern ?? '').repeat(test.repeat);
      expect(sha256(plaintext)).to.equal(test.plaintext_sha256);
      const payload = encrypt(plaintext, bytes(test.conversation_key), bytes(test.nonce));
      expect(sha256(payload)).to.equal(test.payload_sha256);
      expect(decrypt(payload, bytes(test.conversation_key))).to.equal(plaintext);
    }
  });

  it('carries bytes that are no text as they are', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    for (const size of [1, 32, 33, 256]) {
      const plaintext = all.subarray(256 - size);
      expect(nip44.decrypt(encrypt(plaintext, KEY), KEY).equals(plaintext)).to.equal(true);
    }
  });

  it('refuses to encrypt every invalid length', () => {
    for (const length of v2.invalid.encrypt_msg_lengths) {
      expectError('bad_message', () => encrypt('a'.repeat(length), KEY));
    }
  });

  it('refuses every invalid pair of keys', () => {
    for (const { sec1, pub2 } of v2.invalid.get_conversation_key) {
      expectError('bad_ciphertext', () => conversationKey(bytes(sec1), pub2 ?? ''));
    }
  });

  it('refuses every invalid payload, for the reason that the vector names', () => {
    const reasons: Record<string, RegExp> = {
      'unknown encryption version': /version is unknown/,
      'unknown encryption version 0': /version is unknown/,
      'invalid base64': /not base64/,
      'invalid MAC': /MAC is wrong/,
      'invalid padding': /padding is wrong/,
    };
    for (const { conversation_key, payload, note = '' } of v2.invalid.decrypt) {
      const reason = reasons[note] ?? /too short or too long/;
      expectError('bad_ciphertext', () => decrypt(payload ?? '', bytes(conversation_key)), reason);
    }
  });
});

describe('crypto/nip44 against nostr-tools', () => {
  it('writes the same bytes for any text and nonce', () => {
    const nonces = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 3_000 });
    fc.assert(
      fc.property(texts, nonces, (text, nonce) => {
        const payload = encrypt(text, KEY, Buffer.from(nonce));
        expect(payload).to.equal(reference.encrypt(text, KEY, nonce));
        expect(decrypt(payload, KEY)).to.equal(text);
      }),
      { numRuns: 50 },
    );
  });

  it('agrees on both sides of every padding step', () => {
    const edges = [32, 64, 256, 512, 4_096, 32_768, 40_960, 57_344].flatMap((n) => [n, n + 1]);
    for (const length of [1, ...edges, 65_535]) {
      const text = 'é'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2);
      const nonce = randomBytes(32);
      const payload = encrypt(text, KEY, nonce);
      expect(payload === reference.encrypt(text, KEY, nonce), `${length} bytes`).to.equal(true);
      expect(decrypt(reference.encrypt(text, KEY), KEY) === text).to.equal(true);
    }
  });
});

describe('crypto/nip44 with hostile payloads', () => {
  it('notices a change of any single bit', () => {
    const sealed = Buffer.from(encrypt('attack at dawn', KEY), 'base64');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const forged = Buffer.from(sealed);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expectError('bad_ciphertext', () => decrypt(forged.toString('base64'), KEY));
    }
  });

  it('refuses base64 in another spelling, which would give one message two texts', () => {
    const payload = encrypt('x'.repeat(40), KEY, Buffer.alloc(32, 0xff));
    expect(payload).to.match(/\/.*=$/);
    for (const other of [payload.replace('/', '_'), `${payload} `, payload.replace(/=+$/, '')]) {
      expectError('bad_ciphertext', () => decrypt(other, KEY));
    }
  });

  it('refuses a payload that is longer than any valid one before it decodes it', () => {
    const longest = encrypt('a'.repeat(65_535), KEY);
    expect(longest).to.have.length(87_472);
    expectError('bad_ciphertext', () => decrypt(`${longest}AAAA`, KEY), /too long/);
  });

  it('throws nothing but bad_ciphertext for garbage', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String({ minLength: 132 })), (garbage) => {
        expectError('bad_ciphertext', () => decrypt(garbage, KEY));
      }),
    );
  });
});
