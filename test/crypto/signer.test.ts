// Signing, verifying and talking to peers: against nostr-tools, and against forged input.

import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { type EventTemplate, type Event as NostrEvent, nip04, nip19, nip44 } from 'nostr-tools';
import {
  finalizeEvent,
  getEventHash,
  getPublicKey,
  verifyEvent as referenceVerify,
} from 'nostr-tools/pure';
import {
  createSigner,
  generateSecretKey,
  isPublicKey,
  parseSecretKey,
  verifyEvent,
} from '../../src/crypto/signer.js';
import { expectError } from '../support/expect-error.js';

const secretHex = '7f7ff03d123792d6ac594bfa67bf6d0c0ab55b6b1fdb6249303fe861f1ccba9a';
const secret = Uint8Array.from(Buffer.from(secretHex, 'hex'));
const signer = createSigner(secret);
const peerSecret = new Uint8Array(32).fill(7);
const peer = getPublicKey(peerSecret);
const template: EventTemplate = {
  kind: 28333,
  created_at: 1_700_000_000,
  tags: [['p', peer]],
  content: 'sealed',
};
const copyOf = (event: object): Record<string, unknown> => JSON.parse(JSON.stringify(event));

const templates: fc.Arbitrary<EventTemplate> = fc.record(
  {
    kind: fc.nat(65_535),
    created_at: fc.nat(4_000_000_000),
    tags: fc.array(fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }), { maxLength: 3 }),
    content: fc.string({ unit: 'binary', maxLength: 100 }),
  },
  { noNullPrototype: true },
);

describe('crypto/signer signing', () => {
  it('has the public key that nostr-tools computes', () => {
    expect(signer.pubkey).to.equal(getPublicKey(secret));
  });

  it('signs what nostr-tools verifies, and verifies what nostr-tools signs', () => {
    fc.assert(
      fc.property(templates, (event) => {
        const ours = copyOf(signer.sign(event));
        expect(ours.id).to.equal(getEventHash({ ...event, pubkey: signer.pubkey }));
        expect(referenceVerify(ours as unknown as NostrEvent)).to.equal(true);
        expect(verifyEvent(ours)).to.equal(true);
        expect(verifyEvent(copyOf(finalizeEvent({ ...event }, secret)))).to.equal(true);
      }),
      { numRuns: 20 },
    );
  });

  it('uses fresh randomness for each signature (BIP-340)', () => {
    expect(signer.sign(template).sig).not.to.equal(signer.sign(template).sig);
  });

  it('keeps its own copy of the key', () => {
    const wiped = Uint8Array.from(secret);
    const other = createSigner(wiped);
    wiped.fill(0);
    expect(verifyEvent(other.sign(template))).to.equal(true);
  });

  it('shows the key neither in JSON nor to an inspector', () => {
    const shown = JSON.stringify(signer) + inspect(signer, { depth: 9, showHidden: true });
    expect(shown).to.include(signer.pubkey);
    expect(shown).not.to.include(secretHex);
    expect(shown).not.to.include(inspect(secret).slice(20, 60));
  });
});

describe('crypto/signer verifyEvent', () => {
  it('refuses an event of which any one field was changed', () => {
    const event = copyOf(signer.sign(template));
    const forged: Record<string, unknown> = {
      id: '0'.repeat(64),
      pubkey: peer,
      created_at: template.created_at + 1,
      kind: 38334,
      tags: [['p', signer.pubkey]],
      content: 'Sealed',
      sig: signer.sign({ ...template, content: 'other' }).sig,
    };
    expect(verifyEvent(event)).to.equal(true);
    for (const [field, value] of Object.entries(forged)) {
      expect(verifyEvent({ ...event, [field]: value }), field).to.equal(false);
    }
  });

  it('refuses every wrong shape, even where the id and signature would be right', () => {
    const shapes: Record<string, unknown[]> = {
      id: [undefined, 7, 'A'.repeat(64), 'ab'],
      pubkey: [null, signer.pubkey.toUpperCase(), signer.pubkey.slice(2), 'f'.repeat(64)],
      sig: ['', 'f'.repeat(128), '0'.repeat(126), {}],
      kind: [1.5, -1, 65_536, '1', Number.NaN],
      created_at: [-1, 1.5, '1700000000', 2 ** 53, null],
      content: [null, 5, undefined, ['a']],
      tags: [undefined, 'p', {}, ['p'], [[1]], [['p', null]], [{ length: 1, 0: 'p' }]],
    };
    for (const [field, values] of Object.entries(shapes)) {
      for (const value of values) {
        const event = { ...copyOf(signer.sign(template)), [field]: value };
        if (field !== 'id' && field !== 'sig') Object.assign(event, resigned(event));
        expect(verifyEvent(event), `${field}: ${inspect(value)}`).to.equal(false);
      }
    }
  });

  it('answers false, and throws nothing, for anything at all', () => {
    const hostile = Object.defineProperty({}, 'id', {
      get: () => {
        throw new Error('no');
      },
    });
    expect(verifyEvent(hostile)).to.equal(false);
    fc.assert(fc.property(fc.anything(), (value) => !verifyEvent(value)));
  });
});

/** Id and signature that are right for the event as it is, whatever its fields hold. */
function resigned(event: Record<string, unknown>): { id: string; sig: string } {
  const { id, sig } = signer.sign(event as unknown as EventTemplate);
  return { id, sig };
}

describe('crypto/signer encryption', () => {
  it('is read by nostr-tools in either scheme', () => {
    const sharedKey = nip44.getConversationKey(peerSecret, signer.pubkey);
    expect(nip44.decrypt(signer.encrypt(peer, 'höhe'), sharedKey)).to.equal('höhe');
    const old = signer.encrypt(peer, 'höhe', 'nip04');
    expect(nip04.decrypt(peerSecret, signer.pubkey, old)).to.equal('höhe');
  });

  it('reads nostr-tools in either scheme and says which one it was', () => {
    const sharedKey = nip44.getConversationKey(peerSecret, signer.pubkey);
    const cases = {
      nip44: nip44.encrypt('hi', sharedKey),
      nip04: nip04.encrypt(peerSecret, signer.pubkey, 'hi'),
    };
    for (const [scheme, content] of Object.entries(cases)) {
      expect(signer.decrypt(peer, content)).to.deep.equal({ plaintext: Buffer.from('hi'), scheme });
    }
  });

  it('refuses what was meant for somebody else', () => {
    const stranger = createSigner(generateSecretKey());
    const content = signer.encrypt(stranger.pubkey, 'secret');
    expectError('bad_ciphertext', () => signer.decrypt(peer, content), /MAC is wrong/);
  });

  it('refuses a peer key that is no key', () => {
    for (const bad of ['', 'f'.repeat(64), `${peer}00`, peer.toUpperCase()]) {
      expectError('bad_ciphertext', () => signer.encrypt(bad, 'x'));
      expectError('bad_ciphertext', () => signer.decrypt(bad, signer.encrypt(peer, 'x')));
    }
  });

  it('refuses oversized content without working on it', () => {
    const huge = `${'A'.repeat(131_072)}?iv=AAAAAAAAAAAAAAAAAAAAAA==`;
    expectError('bad_ciphertext', () => signer.decrypt('no key', huge), /too long/);
  });
});

describe('crypto/signer keys', () => {
  it('reads hex in either case and nsec, with white space around', () => {
    for (const text of [secretHex, secretHex.toUpperCase(), ` ${nip19.nsecEncode(secret)}\n`]) {
      expect(Buffer.from(parseSecretKey(text)).toString('hex')).to.equal(secretHex);
    }
  });

  it('refuses anything else without repeating a character of it', () => {
    const nsec = nip19.nsecEncode(secret);
    const wrong = [
      '',
      secretHex.slice(1),
      `${nsec.slice(0, -1)}x`,
      nip19.npubEncode(peer),
      '0'.repeat(64),
      'f'.repeat(64),
    ];
    for (const text of wrong) {
      const error = expectError('bad_config', () => parseSecretKey(text));
      if (text.length > 8) expect(inspect(error)).not.to.include(text.slice(0, 8));
    }
  });

  it('makes keys that it accepts itself, each another', () => {
    const keys = [generateSecretKey(), generateSecretKey()];
    expect(new Set(keys.map((key) => createSigner(key).pubkey)).size).to.equal(2);
  });

  it('refuses scalars out of range', () => {
    for (const key of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
      expectError('bad_config', () => createSigner(key));
    }
  });

  it('knows points on the curve from other hex', () => {
    expect(isPublicKey(peer)).to.equal(true);
    for (const text of ['', 'zz', '0'.repeat(64), 'f'.repeat(64), peer.toUpperCase()]) {
      expect(isPublicKey(text), text).to.equal(false);
    }
  });
});
