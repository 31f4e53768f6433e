// Messages as frames of bytes: what the wire document's examples say, both ways, and whatever anybody may send.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { NwsError } from '../../../src/errors.js';
import { decodePlaintext, FRAMES, JSON_ENCODING } from '../../../src/protocol/wire/encoding.js';
import { encodeFrame } from '../../../src/protocol/wire/frame.js';
import { decodeFrame } from '../../../src/protocol/wire/frame-reader.js';
import { decodeMessages, type Message, type Range } from '../../../src/protocol/wire/message.js';
import {
  readVarint,
  varintBytes,
  varintLength,
  writeVarint,
} from '../../../src/protocol/wire/varint.js';
import { expectError } from '../../support/expect-error.js';

const DOCUMENT = new URL('../../../src/protocol/README.md', import.meta.url);
const KEY = '3b1f09a8-2b10-4daa-880c-2a392e781f09';
const KEY_HEX = KEY.replaceAll('-', '');
const PING = `0710${KEY_HEX}`;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** The document's rows of a JSON text and the frame that says the same. */
function examples(): { json: string; frame: Buffer }[] {
  const rows = readFileSync(DOCUMENT, 'utf8').matchAll(
    /^\| `(\[\{.*\}\])` \| `([0-9a-f ]+)` \|$/gm,
  );
  return [...rows].map(([, json, frame]) => ({ json: json!, frame: hex(frame!) }));
}

const key = fc.uuid();
const offset = fc.oneof(
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 70_000 }),
  fc.constantFrom(63, 64, 16_383, 16_384, 2 ** 30 - 1, 2 ** 30, 2 ** 53 - 1),
);
const text = fc.string({ unit: 'grapheme', maxLength: 100 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const range = fc.tuple(offset, offset).filter(([from, to]) => from < to) as fc.Arbitrary<Range>;
const have = fc.option(fc.array(range, { minLength: 1, maxLength: 32 }), { nil: undefined });
const delay = fc.option(offset, { nil: undefined });
const last = fc.constantFrom(true as const, undefined);
const opening = { key, destination: text, v: fc.integer({ min: 1, max: 300 }), window: offset };

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant('CONNECT' as const), ...opening }),
  fc.record({
    type: fc.constant('CONNECTR' as const),
    ...{ ...opening, entryPublicAddress: text },
    secret: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((array) => Buffer.from(array)),
  }),
  fc.record({
    type: fc.constant('OPEN' as const),
    ...{ key, v: opening.v, window: offset },
    direct: fc.option(fc.constant(true as const), { nil: undefined }),
  }),
  fc.record({
    type: fc.constant('DATA' as const),
    ...{ key, data: bytes, ack: offset, window: offset, fin: fc.boolean(), have, delay, last },
    offset: offset.filter((from) => from < 2 ** 53 - 301),
  }),
  fc.record({ type: fc.constant('ACK' as const), key, ack: offset, window: offset, have, delay }),
  fc.record({
    type: fc.constant('RESET' as const),
    key,
    error: text,
    detail: fc.option(
      text.filter((said) => said !== ''),
      { nil: undefined },
    ),
  }),
  fc.record({ type: fc.constantFrom('PING' as const, 'PONG' as const), key }),
  fc.record({
    type: fc.constant('PATH' as const),
    key,
    secret: fc.option(
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((array) => Buffer.from(array)),
      { nil: undefined },
    ),
    candidates: fc.array(fc.constantFrom('192.0.2.1:1', '[2001:db8::1]:65535'), { maxLength: 8 }),
    stun: fc.option(
      fc.array(fc.constantFrom('stun.example:3478', '192.0.2.7:1'), { minLength: 1, maxLength: 4 }),
      {
        nil: undefined,
      },
    ),
  }),
);

/** Without fields that are undefined. */
function plain(messages: readonly Message[]): object[] {
  return messages.map((one) =>
    Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)),
  );
}

describe('protocol/frame', () => {
  it('writes and reads the examples of the wire document', () => {
    const rows = examples();
    const types = new Set(
      rows.flatMap(({ json }) => decodeMessages(json).messages.map(({ type }) => type)),
    );
    expect([...types].sort()).to.deep.equal([
      'ACK',
      'CONNECT',
      'CONNECTR',
      'DATA',
      'OPEN',
      'PATH',
      'PING',
      'PONG',
      'RESET',
    ]);
    for (const { json, frame } of rows) {
      const { messages } = decodeMessages(json);
      expect(encodeFrame(messages).toString('hex'), json).to.equal(frame.toString('hex'));
      expect(decodeFrame(frame), json).to.deep.equal({ messages, invalid: 0 });
    }
  });

  it('brings every message back as it was, and takes as many bytes as it says', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const frame = encodeFrame(messages);
        const { messages: read, invalid } = decodeFrame(frame);
        expect(plain(read)).to.deep.equal(plain(messages));
        expect(invalid).to.equal(0);
        const sizes = messages.map(FRAMES.messageBytes);
        expect(frame.length).to.equal(sizes.reduce((sum, size) => sum + size, FRAMES.emptyBytes));
      }),
    );
  });

  it('says the same as JSON, and each is known by its first byte', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
        const [frame, json] = [FRAMES, JSON_ENCODING].map((encoding) =>
          decodePlaintext(encoding.encode(messages)),
        );
        expect(frame!.isFrame).to.equal(true);
        expect(json!.isFrame).to.equal(false);
        expect(plain(frame!.messages)).to.deep.equal(plain(json!.messages));
      }),
    );
  });

  it('throws nothing but bad_message, whatever comes, and takes nothing for more than is there', () => {
    const cut = fc
      .tuple(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
      )
      .map(([messages, part]) => {
        const frame = encodeFrame(messages);
        return frame.subarray(0, Math.floor(part * frame.length));
      });
    const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
    const mutated = fc
      .tuple(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.array(flip, { minLength: 1, maxLength: 6 }),
      )
      .map(([messages, flips]) => {
        const frame = encodeFrame(messages);
        for (const [at, bits] of flips) frame[at % frame.length]! ^= bits;
        return frame;
      });
    const garbage = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from([2, ...array]));
    const any = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.oneof(cut, mutated, garbage, any), (frame) => {
        try {
          const { messages, invalid } = decodePlaintext(frame);
          expect(messages.length + invalid).to.be.at.most(frame.length);
          let held = 0;
          for (const read of messages) if ('data' in read) held += read.data?.length ?? 0;
          expect(held).to.be.at.most(frame.length);
        } catch (error) {
          if (!(error instanceof NwsError)) throw error;
          expect(error.code).to.equal('bad_message');
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('leaves out types that it does not know, and messages that make no sense, by their length', () => {
    const messages = [{ type: 'PING', key: KEY }];
    for (const [what, [type, body]] of Object.entries({
      'a type to come': [9, `${KEY_HEX}abcd`],
      'a type to come, with nothing in it': [9, ''],
      'type 0': [0, KEY_HEX],
      'a key cut short': [7, '010203'],
      'numbers cut short': [5, `${KEY_HEX}40`],
      'flags to come': [4, `${KEY_HEX}1000000061`],
      'version 0': [1, `${KEY_HEX}000000`],
      'too many ranges': [5, `${KEY_HEX}000021${'0102'.repeat(20)}`],
      'an empty range': [5, `${KEY_HEX}0000010505`],
      'an offset over 2^53': [4, `${KEY_HEX}00ffffffffffffffff000061`],
      'an offset from which the data leads over 2^53': [4, `${KEY_HEX}00c01ffffffffffffe00006162`],
      'a text that is longer than it': [6, `${KEY_HEX}05616200`],
      'a secret of 3 bytes': [2, `${KEY_HEX}02000000 03616263`],
    } as const)) {
      const bad = Buffer.concat([Buffer.of(2, type, hex(body).length), hex(body), hex(PING)]);
      expect(decodeFrame(bad), what).to.deep.equal({ messages, invalid: 1 });
    }
    const long = { type: 'RESET', key: KEY, error: 'x'.repeat(1_025) } as const;
    expect(decodeFrame(encodeFrame([long])).invalid).to.equal(1);
  });

  it('ignores what a later version adds behind the fields', () => {
    for (const { frame } of examples()) {
      const { messages } = decodeFrame(frame);
      const [message, ...more] = messages;
      if (more.length > 0 || message!.type === 'DATA') continue;
      if (message!.type === 'ACK' && message!.delay === undefined) continue; // that would be it
      const length = frame[2]! < 64 ? 1 : 2;
      const body = frame.subarray(2 + length);
      const longer = Buffer.alloc(8);
      const end = writeVarint(longer, 0, body.length + 2);
      const added = Buffer.concat([
        frame.subarray(0, 2),
        longer.subarray(0, end),
        body,
        hex('beef'),
      ]);
      expect(decodeFrame(added)).to.deep.equal({ messages, invalid: 0 });
    }
  });

  it('refuses a frame whose lengths lead out of it', () => {
    for (const frame of [
      '',
      '01',
      '5b5d',
      '0207',
      `0211${KEY_HEX}`,
      `02${PING}07`,
      `02${PING}0740`,
      `0207ff`,
      '0207ffffffffffffffff',
    ]) {
      expectError('bad_message', () => decodeFrame(hex(frame)));
    }
    expect(decodeFrame(hex('02'))).to.deep.equal({ messages: [], invalid: 0 });
  });

  it('keeps no large frame for a few bytes of it', () => {
    const data = (size: number): Message => ({
      type: 'DATA',
      key: KEY,
      offset: 0,
      data: Buffer.alloc(size),
      ack: 0,
      window: 0,
      fin: false,
    });
    // More than half of the pool that small ones share, which Node 24 has of 64 KB.
    const frame = encodeFrame([data(10), data(40_000)]);
    const [few, many] = decodeFrame(frame).messages as unknown as { data: Buffer }[];
    expect(few!.data.buffer).to.not.equal(frame.buffer);
    expect(many!.data.buffer).to.equal(frame.buffer);
  });

  it('reads numbers as RFC 9000 has them', () => {
    const known: readonly (readonly [string, number])[] = [
      ...([
        ['25', 37],
        ['7bbd', 15_293],
        ['9d7f3e7d', 494_878_333],
        ['c2197c5eff14e88c', Number('151288809941952652')],
      ] as const),
      ['4025', 37],
    ];
    for (const [text, value] of known) {
      const source = hex(text);
      expect(varintLength(source[0]!)).to.equal(source.length);
      expect(readVarint(source, 0, source.length)).to.equal(value);
    }
    fc.assert(
      fc.property(offset, (value) => {
        const target = Buffer.alloc(10);
        expect(writeVarint(target, 1, value)).to.equal(1 + varintBytes(value));
        expect(varintLength(target[1]!)).to.equal(varintBytes(value));
        expect(readVarint(target, 1, varintBytes(value))).to.equal(value);
      }),
    );
  });
});
