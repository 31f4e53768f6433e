// Names of exits: the example of NIP-443, every other form, and every kind of malformed name.

import { expect } from 'chai';
import fc from 'fast-check';
import { nip19 } from 'nostr-tools';
import { getPublicKey } from 'nostr-tools/pure';
import { NwsError } from '../../../src/errors.js';
import {
  decodeHost,
  encodeName,
  encodeNprofile,
  encodeNpub,
  isNostrHost,
  normalizeRelayUrl,
} from '../../../src/protocol/names/address.js';
import { decodeBase32, encodeBase32 } from '../../../src/protocol/names/base32.js';
import { parsePublicKey } from '../../../src/protocol/names/public-key.js';
import { expectError } from '../../support/expect-error.js';

const example = {
  name: 'etpjkbpf60n30bhg5oo3kdpn6srg.7rqkr7rul8t6vbtekq0b3k274i696g47eo1765t9add20llitt9g.nostr',
  address: {
    pubkey: '3ef54d9f7eaa3a6fafaea680b1d047248c93408776027317a9535a2056b2ef53',
    relays: ['ws://0.0.0.0:7777'],
  },
};
const { pubkey } = example.address;
const keyLabel = '7rqkr7rul8t6vbtekq0b3k274i696g47eo1765t9add20llitt9g';
const label = (text: string): string => encodeBase32(Buffer.from(text));

const pubkeys = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((key) => key[0] !== 0 && key[0] !== 255)
  .map(getPublicKey);
const relays = fc
  .webUrl({ size: 'small' })
  .map((url) => normalizeRelayUrl(url.replace(/^http/, 'ws')));

describe('protocol/base32', () => {
  it('encodes the test vectors of RFC 4648, section 10', () => {
    const vectors = ['', 'co', 'cpng', 'cpnmu', 'cpnmuog', 'cpnmuoj1', 'cpnmuoj1e8'];
    vectors.forEach((text, length) => {
      expect(label('foobar'.slice(0, length))).to.equal(text);
    });
  });

  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase32(encodeBase32(bytes))).to.deep.equal(Buffer.from(bytes));
      }),
    );
  });

  it('takes each text for at most one value, and nothing else for any', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-v]{0,12}$/)), (text) => {
        const bytes = decodeBase32(text);
        if (bytes !== undefined) expect(encodeBase32(bytes)).to.equal(text);
      }),
    );
    for (const text of ['c', '0', '000', '000000', 'cpn', 'cp', 'CO', 'co======', 'wz']) {
      expect(decodeBase32(text), text).to.equal(undefined);
    }
  });
});

describe('protocol/address decoding', () => {
  it('reads the example of NIP-443, in any case and with a trailing dot', () => {
    for (const name of [example.name, example.name.toUpperCase(), `${example.name}.`]) {
      expect(decodeHost(name)).to.deep.equal(example.address);
    }
  });

  it('reads a key without relays', () => {
    expect(decodeHost(`${keyLabel}.nostr`)).to.deep.equal({ pubkey, relays: [] });
  });

  it('reads npub and nprofile, bare and with .nostr', () => {
    const npub = nip19.npubEncode(pubkey);
    const nprofile = nip19.nprofileEncode(example.address);
    for (const end of ['', '.nostr', '.NOSTR.']) {
      expect(decodeHost(npub + end)).to.deep.equal({ pubkey, relays: [] });
      expect(decodeHost(nprofile.toUpperCase() + end)).to.deep.equal(example.address);
    }
  });

  it('reads names that are longer than the DNS allows, and each relay once', () => {
    const long = `wss://relay.example/${'a'.repeat(60)}`;
    const name = [long, 'ws://b.example', 'WS://B.example:80/'].map(label).join('.');
    expect(decodeHost(`${name}.${keyLabel}.nostr`).relays).to.deep.equal([long, 'ws://b.example']);
  });

  it('tells a key label from bech32 even where it starts alike', () => {
    let found: string | undefined;
    for (let i = 0; found === undefined; i++) {
      const text = `npub1${i.toString().padStart(46, '0')}0`;
      const bytes = decodeBase32(text);
      if (bytes !== undefined && isCurvePoint(bytes)) found = text;
    }
    expect(encodeName(decodeHost(`${found}.nostr`))).to.equal(`${found}.nostr`);
  });

  const malformed: Record<string, [host: string, message: RegExp]> = {
    'a label that is not base32': [`wxyz.${keyLabel}.nostr`, /label "wxyz" is not base32/],
    'an empty label': [`.${keyLabel}.nostr`, /label "" is not base32/],
    'a relay that is no URL': [`${label('relay')}.${keyLabel}.nostr`, /label "e9imoobp": .*URL/],
    'a relay that is no WebSocket': [`${label('http://a.b')}.${keyLabel}.nostr`, /http:.*ws:/],
    'a relay with a password': [`${label('ws://u:p@a.b')}.${keyLabel}.nostr`, /user or a password/],
    'a relay that is not UTF-8': [
      `${encodeBase32(Buffer.from('77733a2f2fff', 'hex'))}.${keyLabel}.nostr`,
      /not base32 of a relay/,
    ],
    'a key of another length': ['7rqkr7rul8t6.nostr', /label "7rqkr7rul8t6" is not a public key/],
    'a key that is no point': [`${'0'.repeat(52)}.nostr`, /label "0{52}" .*not on the curve/],
    'a short name': ['shop.nostr', /label "shop" is not a public key/],
    'no name': ['.nostr', /label "" is not a public key/],
    'another domain': ['example.com', /"example.com" is not a .nostr name/],
    'a mistyped npub': [`npub1${'q'.repeat(58)}`, /"npub1q+" is not a public key/],
    'a note id': [`${nip19.noteEncode(pubkey)}.nostr`, /is not a public key/],
    'an nprofile with a bad relay': [
      nip19.nprofileEncode({ pubkey, relays: ['http://a.b'] }),
      /http:.*ws:/,
    ],
    'too many relays': [
      `${[...'abcdefghi'].map((c) => label(`ws://${c}`)).join('.')}.${keyLabel}.nostr`,
      /more than 8 relays/,
    ],
    'an endless name': [`${'a.'.repeat(600)}nostr`, /longer than 1018 characters/],
    'an overlong label, cut short': [`${'w'.repeat(99)}.${keyLabel}.nostr`, /label "w{63}…" is/],
    'a label with markup, made harmless': [`<b>"é\n.${keyLabel}.nostr`, /label "\?b\?{4}" is/],
  };
  for (const [what, [host, message]] of Object.entries(malformed)) {
    it(`refuses ${what} and says so`, () => {
      const error = expectError('bad_name', () => decodeHost(host), message);
      expect(error.hint).to.match(/nws name/);
    });
  }

  it('never repeats a secret key that was given as a name', () => {
    const nsec = nip19.nsecEncode(new Uint8Array(32).fill(1));
    for (const host of [nsec, `${nsec}.nostr`]) {
      expect(isNostrHost(host), 'else a DNS server would see it').to.equal(true);
      const error = expectError('bad_name', () => decodeHost(host));
      expect(error.line).not.to.include(nsec.slice(4, 12));
    }
  });

  it('throws nothing but bad_name for garbage', () => {
    const hosts = fc.oneof(
      fc.string(),
      fc.string().map((text) => `${text}.${keyLabel}.nostr`),
    );
    fc.assert(
      fc.property(hosts, (host) => {
        try {
          decodeHost(host);
        } catch (error) {
          expect(error).to.be.instanceOf(NwsError).with.property('code', 'bad_name');
        }
      }),
    );
  });
});

function isCurvePoint(bytes: Buffer): boolean {
  try {
    return encodeNpub(bytes.toString('hex')) !== '';
  } catch {
    return false;
  }
}

describe('protocol/address isNostrHost', () => {
  it('knows our names from those of the clear web', () => {
    for (const host of [example.name, 'X.NOSTR', 'x.nostr.', nip19.npubEncode(pubkey)]) {
      expect(isNostrHost(host), host).to.equal(true);
    }
    for (const host of [
      '',
      'nostr',
      'nostr.com',
      'x.nostr.com',
      'notnostr',
      'npub1.example',
      '::1',
    ]) {
      expect(isNostrHost(host), host).to.equal(false);
    }
  });
});

describe('protocol/address encoding', () => {
  it('writes the example of NIP-443', () => {
    expect(encodeName(example.address)).to.equal(example.name);
  });

  it('decodes what it encodes, as a name and as an nprofile', () => {
    const addresses = fc.record({
      pubkey: pubkeys,
      relays: fc.uniqueArray(relays, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(addresses, (address) => {
        expect(decodeHost(encodeNprofile(address))).to.deep.equal(address);
        expect(decodeHost(encodeNpub(address.pubkey)).pubkey).to.equal(address.pubkey);
        if (address.relays.some((relay) => relay.length > 39)) return;
        expect(decodeHost(encodeName(address))).to.deep.equal(address);
      }),
      { numRuns: 30 },
    );
  });

  it('fits a relay of 39 bytes into a label and refuses one of 40', () => {
    const relay = `wss://${'a'.repeat(33)}`;
    expect(encodeName({ pubkey, relays: [relay] }).split('.')[0]).to.have.length(63);
    const error = expectError('bad_name', () => encodeName({ pubkey, relays: [`${relay}a`] }));
    expect(error.hint).to.match(/39 bytes.*nprofile/);
  });

  it('refuses a name over 253 characters', () => {
    const four = ['a', 'b', 'c', 'd'].map((c) => `wss://${c.repeat(33)}`);
    expectError('bad_name', () => encodeName({ pubkey, relays: four }), /\d{3} characters/);
  });

  it('refuses invalid keys and relays', () => {
    const bad = [
      { pubkey: 'f'.repeat(64), relays: [] },
      { pubkey, relays: ['https://relay.example'] },
      { pubkey, relays: [...'abcdefghi'].map((c) => `ws://${c}`) },
    ];
    for (const address of bad) {
      expectError('bad_name', () => encodeName(address));
      expectError('bad_name', () => encodeNprofile(address));
    }
    expectError('bad_name', () => encodeNpub('xyz'));
  });
});

describe('protocol/public-key parsePublicKey', () => {
  it('reads hex and npub', () => {
    for (const text of [pubkey, pubkey.toUpperCase(), ` ${nip19.npubEncode(pubkey)} `]) {
      expect(parsePublicKey(text)).to.equal(pubkey);
    }
  });

  it('refuses everything else without repeating it', () => {
    const nsec = nip19.nsecEncode(new Uint8Array(32).fill(1));
    for (const text of ['', 'npub1', nsec, pubkey.slice(1), '0'.repeat(64)]) {
      const error = expectError('bad_name', () => parsePublicKey(text));
      expect(error.line).not.to.include(nsec.slice(4, 12));
    }
  });
});

describe('protocol/relay-url', () => {
  it('has one form for each relay', () => {
    const forms: Record<string, string> = {
      'wss://Relay.Example/': 'wss://relay.example',
      'wss://relay.example:443': 'wss://relay.example',
      'ws://relay.example:80/?#top': 'ws://relay.example',
      'WS://[::1]:7777/': 'ws://[::1]:7777',
      'wss://relay.example/chat/': 'wss://relay.example/chat/',
      'wss://relay.example/chat#top': 'wss://relay.example/chat',
      'wss://relay.example/?room=1': 'wss://relay.example/?room=1',
      'wss://bücher.example': 'wss://xn--bcher-kva.example',
    };
    for (const [url, canonical] of Object.entries(forms)) {
      expect(normalizeRelayUrl(url), url).to.equal(canonical);
    }
  });

  it('goes on understanding hosts beyond ASCII after many calls', () => {
    for (let call = 0; call < 200_000; call += 1) normalizeRelayUrl('wss://bücher.example');
  });

  it('leaves the canonical form as it is', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const canonical = normalizeRelayUrl(url.replace(/^http/, 'ws'));
        expect(normalizeRelayUrl(canonical)).to.equal(canonical);
      }),
    );
  });

  it('refuses what is no WebSocket URL of up to 255 bytes', () => {
    const long = `wss://relay.example/${'a'.repeat(235)}`;
    expect(normalizeRelayUrl(long)).to.have.length(255);
    const grown = `wss://relay.example/${'é'.repeat(100)}`;
    const bad = ['', 'relay.example', 'http://a.b', 'ws://', 'wss://u:p@a.b', `${long}a`, grown];
    for (const url of bad) expectError('bad_name', () => normalizeRelayUrl(url));
  });

  it('does not repeat a password', () => {
    const error = expectError('bad_name', () => normalizeRelayUrl('wss://me:hunter2@a.b'));
    expect(error.line).not.to.include('hunter2');
  });
});
