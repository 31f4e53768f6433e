// NIP-04 against nostr-tools, which other NIP-443 peers agree with.

import { expect } from 'chai';
import fc from 'fast-check';
import * as reference from 'nostr-tools/nip04';
import { getPublicKey } from 'nostr-tools/pure';
import { decrypt, encrypt, isNip04 } from '../../src/crypto/nip04.js';
import { sharedX } from '../../src/crypto/shared-point.js';
import { expectError } from '../support/expect-error.js';

const alice = new Uint8Array(32).fill(1);
const bob = new Uint8Array(32).fill(2);
const key = sharedX(alice, getPublicKey(bob));

describe('crypto/nip04', () => {
  it('is read by nostr-tools and reads what nostr-tools writes', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 200 });
    fc.assert(
      fc.property(texts, (text) => {
        expect(reference.decrypt(bob, getPublicKey(alice), encrypt(text, key))).to.equal(text);
        const theirs = reference.encrypt(bob, getPublicKey(alice), text);
        expect(String(decrypt(theirs, key))).to.equal(text);
      }),
      { numRuns: 20 },
    );
  });

  it('agrees with itself at every length around a block', () => {
    for (let length = 0; length <= 48; length++) {
      expect(decrypt(encrypt('x'.repeat(length), key), key)).to.have.length(length);
    }
  });

  it('uses a fresh initialisation vector each time', () => {
    expect(encrypt('same', key)).not.to.equal(encrypt('same', key));
  });

  it('is recognised by its separator, which NIP-44 never has', () => {
    expect(isNip04(encrypt('', key))).to.equal(true);
    expect(isNip04('AgAAAA==')).to.equal(false);
  });

  it('refuses everything malformed', () => {
    const good = encrypt('hello', key);
    const [text = '', iv = ''] = good.split('?iv=');
    const malformed = [
      '',
      '?iv=',
      text,
      `?iv=${iv}`,
      `${text}?iv=`,
      `${text}?iv=AAAA`,
      `${text}?iv=${iv}?iv=${iv}`,
      `${text.slice(4)}?iv=${iv}`,
      `${text.replace(/=*$/, '')}?iv=${iv}`,
      `AAAA${good}`,
    ];
    for (const content of malformed) expectError('bad_ciphertext', () => decrypt(content, key));
  });

  it('refuses content over the size of a frame before it decodes it', () => {
    expectError('bad_ciphertext', () => decrypt('A'.repeat(131_073), key), /too long/);
  });

  it('throws nothing but bad_ciphertext for garbage', () => {
    const contents = fc
      .tuple(fc.base64String(), fc.base64String())
      .map((pair) => pair.join('?iv='));
    fc.assert(
      fc.property(fc.oneof(fc.string(), contents), (garbage) => {
        expectError('bad_ciphertext', () => decrypt(garbage, key));
      }),
    );
  });
});
