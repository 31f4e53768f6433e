// The sizes that payload.ts computes, held against real messages in real encrypted, signed events.

import { expect } from 'chai';
import { createSigner, type Scheme } from '../../../src/crypto/signer.js';
import { type Encoding, FRAMES, JSON_ENCODING } from '../../../src/protocol/wire/encoding.js';
import { messageEvent } from '../../../src/protocol/wire/events.js';
import { encodeMessage, type Message } from '../../../src/protocol/wire/message.js';
import {
  eventBytes,
  MAX_NIP44_PLAINTEXT_BYTES,
  maxDataBytes,
  plaintextCapacity,
} from '../../../src/protocol/wire/payload.js';

const SCHEMES: readonly Scheme[] = ['nip44', 'nip04'];
const ENCODINGS: Readonly<Record<string, Encoding>> = { JSON: JSON_ENCODING, frame: FRAMES };
const signer = createSigner(new Uint8Array(32).fill(1));
const peer = createSigner(new Uint8Array(32).fill(2)).pubkey;
const LAST = Number.MAX_SAFE_INTEGER;
const now = Math.floor(Date.now() / 1000);

function realEventBytes(plaintext: string | Buffer, scheme: Scheme): number {
  const event = signer.sign(messageEvent(peer, signer.encrypt(peer, plaintext, scheme), now));
  return Buffer.byteLength(JSON.stringify(event));
}

/** A message at its longest: a stream that has moved 2^53 bytes both ways and ends here. */
function longestMessage(dataBytes: number, ranges = 0): Message {
  const have = Array.from({ length: ranges }, () => [LAST - 1, LAST] as const);
  return {
    type: 'DATA',
    key: '3b1f09a8-2b10-4daa-880c-2a392e781f09',
    offset: Number.MAX_SAFE_INTEGER,
    ack: Number.MAX_SAFE_INTEGER,
    window: Number.MAX_SAFE_INTEGER,
    fin: true,
    last: true,
    delay: Number.MAX_SAFE_INTEGER,
    data: Buffer.alloc(dataBytes, 0xff),
    ...(ranges > 0 && { have }),
  };
}

/** Ordinary limits, and for every step of the padding the last limit below it and the first on it. */
function limits(): number[] {
  const steps: number[] = [];
  for (let bytes = 1_024; bytes <= MAX_NIP44_PLAINTEXT_BYTES; bytes++) {
    const here = eventBytes(bytes, 'nip44');
    if (here !== eventBytes(bytes + 1, 'nip44')) steps.push(here - 1, here, here + 1);
  }
  const ordinary = [2_000, 4_096, 16_384, 32_768, 65_535, 65_536, 65_537, 100_000, 131_072];
  return [...ordinary, ...steps];
}

describe('protocol/payload', () => {
  for (const scheme of SCHEMES) {
    it(`knows the size of a real ${scheme} event for every kind of plaintext`, () => {
      for (const bytes of [1, 15, 16, 31, 32, 33, 64, 65, 257, 4_097, 32_768, 32_769, 65_535]) {
        const ascii = realEventBytes('x'.repeat(bytes), scheme);
        expect(ascii, `${bytes} bytes`).to.equal(eventBytes(bytes, scheme));
        const wide = 'é'.repeat(bytes >> 1) + 'x'.repeat(bytes & 1);
        expect(realEventBytes(wide, scheme), 'counts bytes of UTF-8').to.equal(ascii);
      }
    });

    for (const [name, encoding] of Object.entries(ENCODINGS)) {
      it(`fills ${scheme} events with a ${name} up to each limit and not a byte over`, function () {
        this.timeout(60_000);
        for (const limit of limits()) {
          const most = maxDataBytes(limit, scheme, encoding);
          const message = encoding.encode([longestMessage(most)]);
          expect(realEventBytes(message, scheme), `at ${limit}`).to.be.at.most(limit);
          const more = encoding.encode([longestMessage(most + 1)]);
          const atBound = scheme === 'nip44' && more.length > MAX_NIP44_PLAINTEXT_BYTES;
          if (!atBound) expect(realEventBytes(more, scheme), `at ${limit}`).to.be.above(limit);
        }
      });
    }

    it(`has no ${scheme} plaintext that could be a byte longer`, () => {
      for (const limit of limits()) {
        const most = plaintextCapacity(limit, scheme);
        expect(eventBytes(most, scheme)).to.be.at.most(limit);
        if (most === MAX_NIP44_PLAINTEXT_BYTES) continue;
        expect(eventBytes(most + 1, scheme), `at ${limit}`).to.be.above(limit);
      }
    });

    it(`fits nothing into a ${scheme} event that is too small for any`, () => {
      for (const limit of [-1, 0, 300, 400]) {
        expect(plaintextCapacity(limit, scheme), `${limit}`).to.equal(0);
        for (const encoding of Object.values(ENCODINGS))
          expect(maxDataBytes(limit, scheme, encoding), `${limit}`).to.equal(0);
      }
    });
  }

  it('carries 30,500 bytes in an event of 65,536, and 40,900 as a frame', () => {
    expect(maxDataBytes(65_536, 'nip44', JSON_ENCODING)).to.equal(30_573);
    expect(maxDataBytes(65_536, 'nip44', FRAMES)).to.equal(40_905);
  });

  for (const [name, encoding] of Object.entries(ENCODINGS)) {
    it(`knows what each message adds to a ${name}, and what is left for data beside ranges`, () => {
      const key = '3b1f09a8-2b10-4daa-880c-2a392e781f09';
      const messages: Message[] = [
        { type: 'CONNECT', key, destination: 'é.nostr:443', v: 2, window: 65_536 },
        { type: 'ACK', key, ack: 7, window: 2 ** 40, have: [[9, 2 ** 31]], delay: 300 },
        { type: 'RESET', key, error: 'connection_refused', detail: 'ü' },
        { type: 'PING', key },
        ...[0, 1, 2, 3, 63, 64, 16_384].map((bytes) => longestMessage(bytes, bytes % 3)),
        { ...longestMessage(5), offset: 0, ack: 63, window: 64, fin: false } as Message,
      ];
      let bytes = encoding.emptyBytes;
      for (const message of messages) bytes += encoding.messageBytes(message);
      expect(encoding.encode(messages).length).to.equal(bytes);
      for (const ranges of [0, 1, 32]) {
        const most = encoding.dataBytes(10_000, ranges);
        const fits = (dataBytes: number): number =>
          encoding.messageBytes(longestMessage(dataBytes, ranges));
        expect(fits(most)).to.be.at.most(10_000);
        expect(fits(most + 3 + ranges)).to.be.above(10_000 - ranges);
      }
    });
  }

  it('stops at the 65,535 bytes that NIP-44 holds', () => {
    expect(plaintextCapacity(131_072, 'nip44')).to.equal(MAX_NIP44_PLAINTEXT_BYTES);
    expect(plaintextCapacity(Number.MAX_SAFE_INTEGER, 'nip44')).to.equal(MAX_NIP44_PLAINTEXT_BYTES);
  });

  it('never makes an event that a relay would drop the connection for', () => {
    expect(plaintextCapacity(10_000_000, 'nip04')).to.equal(plaintextCapacity(131_072, 'nip04'));
  });

  it('leaves room for a plain message with the same data', () => {
    for (const limit of [2_000, 65_536, 131_072]) {
      const key = '3b1f09a8-2b10-4daa-880c-2a392e781f09';
      const data = Buffer.alloc(maxDataBytes(limit, 'nip44', JSON_ENCODING));
      const plain = encodeMessage({ type: 'PLAIN', key, data });
      expect(realEventBytes(plain, 'nip44')).to.be.at.most(limit);
    }
  });
});
