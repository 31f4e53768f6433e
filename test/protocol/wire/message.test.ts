// Messages: what is written is read again, a NIP-443 peer in Go reads data as it should, and garbage is refused.

import { expect } from 'chai';
import fc from 'fast-check';
import { NwsError } from '../../../src/errors.js';
import {
  decodeMessage,
  decodeMessages,
  encodeMessage,
  encodeMessages,
  MAX_MESSAGES,
  MAX_RANGES,
  type Message,
} from '../../../src/protocol/wire/message.js';
import { expectError } from '../../support/expect-error.js';

const KEY = '3b1f09a8-2b10-4daa-880c-2a392e781f09';
const decode = (fields: object): Message => decodeMessage({ key: KEY, ...fields });

const key = fc.uuid();
const count = fc.maxSafeNat();
const text = fc.string({ unit: 'binary', maxLength: 60 });
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const someBytes = bytes.filter((buffer) => buffer.length > 0);
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((array) => Buffer.from(array));
const have = fc.array(
  fc
    .tuple(fc.nat(), fc.integer({ min: 1, max: 999 }))
    .map(([from, length]): [number, number] => [from, from + length]),
  { minLength: 1, maxLength: MAX_RANGES },
);

/** Messages of one kind, where the fields named at the end may be absent. */
function record<T>(
  model: { [P in keyof T]: fc.Arbitrary<T[P]> },
  ...optional: (keyof T)[]
): fc.Arbitrary<Message> {
  const names = Object.keys(model) as (keyof T)[];
  const requiredKeys = names.filter((name) => !optional.includes(name));
  const made = fc.record(model, { requiredKeys, noNullPrototype: true });
  return made as unknown as fc.Arbitrary<Message>;
}

const type = <T extends string | boolean>(word: T): fc.Arbitrary<T> => fc.constant(word);
const plain = { key, destination: text, data: someBytes };
const reliable = { ...plain, v: count, window: count };
const reverse = { type: type('CONNECTR'), entryPublicAddress: text, secret };
const reason = { error: text, detail: text.filter((detail) => detail !== '') };
const acks = { key, ack: count, window: count, delay: count, have };
const stretch = { offset: fc.nat(), data: bytes, fin: fc.boolean(), last: type(true) };

const members: Record<string, fc.Arbitrary<Message>> = {
  'CONNECT of NIP-443': record({ type: type('CONNECT'), ...plain }, 'data'),
  CONNECT: record({ type: type('CONNECT'), ...reliable }, 'data'),
  'CONNECTR of NIP-443': record({ ...plain, ...reverse }, 'data', 'secret'),
  CONNECTR: record({ ...reliable, ...reverse }, 'data', 'secret'),
  OPEN: record({ type: type('OPEN'), key, v: count, window: count }),
  DATA: record({ type: type('DATA'), ...stretch, ...acks }, 'have', 'delay', 'last'),
  'plain data': record({ type: type('PLAIN'), key, data: bytes }),
  ACK: record({ type: type('ACK'), ...acks }, 'have', 'delay'),
  RESET: record({ type: type('RESET'), key, ...reason }, 'detail'),
  PING: record({ type: type('PING'), key }),
  PONG: record({ type: type('PONG'), key }),
  'OPEN with consent': record({
    ...{ type: type('OPEN'), key, v: count, window: count },
    direct: fc.constant(true),
  }),
  PATH: record(
    {
      ...{ type: type('PATH'), key, secret },
      candidates: fc.array(fc.constant('192.0.2.1:1'), { maxLength: 8 }),
      stun: fc.array(fc.constant('stun.example:3478'), { minLength: 1, maxLength: 4 }),
    },
    'secret',
    'stun',
  ),
};
const anyMessage = fc.oneof(...Object.values(members));

describe('protocol/message encoding', () => {
  for (const [name, messages] of Object.entries(members)) {
    it(`reads ${name} as it was written`, () => {
      fc.assert(
        fc.property(messages, (message) => {
          const read = decodeMessages(encodeMessage(message));
          expect(read).to.deep.equal({ messages: [message], invalid: 0 });
        }),
        { numRuns: 60 },
      );
    });
  }

  it('reads several messages in their order', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 8 }), (messages) => {
        const read = decodeMessages(encodeMessages(messages));
        expect(read).to.deep.equal({ messages, invalid: 0 });
      }),
    );
  });

  it('writes one message as an object, which every NIP-443 peer reads', () => {
    expect(encodeMessages([{ type: 'PING', key: KEY }])).to.equal(`{"type":"PING","key":"${KEY}"}`);
  });

  it('writes numbers up to 2^53 - 1 in full', () => {
    const json = encodeMessage({ type: 'ACK', key: KEY, ack: 2 ** 53 - 1, window: 2 ** 53 - 1 });
    expect(json).to.include('"ack":9007199254740991');
  });
});

/** How Go's encoding/json fills a struct: field names match without regard to case, the last one wins. */
function readLikeGo(json: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(JSON.parse(json) as object)) {
    fields[name.toLowerCase()] = value;
  }
  return fields;
}

describe('protocol/message toward NIP-443 peers', () => {
  it('writes plain data so that Go reads SOCKS5RESPONSE and all others DATA', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const json = encodeMessage({ type: 'PLAIN', key: KEY, data });
        const fields = { key: KEY, data: data.toString('base64') };
        expect(readLikeGo(json)).to.deep.equal({ ...fields, type: 'SOCKS5RESPONSE' });
        expect(JSON.parse(json)).to.include({ ...fields, type: 'DATA' });
      }),
    );
  });

  it('takes both words, with base64, for the same plain data', () => {
    for (const word of ['DATA', 'SOCKS5RESPONSE']) {
      const message = decode({ type: word, data: Buffer.from('hello').toString('base64') });
      expect(message).to.deep.equal({ type: 'PLAIN', key: KEY, data: Buffer.from('hello') });
    }
  });

  it("takes what isn't base64 as text, as in the example of NIP-443", () => {
    for (const data of ['GET /hello HTTP/1.1', 'höhe', 'abc', 'ab=c', 'aGVsbG8', 'aGVs bG8=']) {
      expect(decode({ type: 'DATA', data })).to.deep.include({ data: Buffer.from(data) });
    }
  });

  it('takes absent data for none', () => {
    expect(decode({ type: 'DATA' })).to.deep.equal({
      type: 'PLAIN',
      key: KEY,
      data: Buffer.alloc(0),
    });
  });

  it('matches field names exactly and ignores those it does not know', () => {
    const message = decode({ Key: 'x', TYPE: 'PING', type: 'PONG', later: [1, {}] });
    expect(message).to.deep.equal({ type: 'PONG', key: KEY });
  });

  it('takes a CONNECT without a destination, as for an exit with one target', () => {
    expect(decode({ type: 'CONNECT' })).to.deep.equal({
      type: 'CONNECT',
      key: KEY,
      destination: '',
    });
  });
});

describe('protocol/message with hostile input', () => {
  const good = { key: KEY, type: 'DATA', offset: 0, data: '', ack: 0, window: 0 };
  const ranges = (n: number): number[][] => Array.from({ length: n }, (_, i) => [2 * i, 2 * i + 1]);
  const long = 'x'.repeat(1_025);
  const refused: Record<string, [fields: object, message: RegExp]> = {
    'an unknown type': [{ type: 'BIND' }, /type is unknown/],
    'a key that is no UUID': [{ key: `${KEY}0` }, /key is not a UUID/],
    'a negative offset': [{ offset: -1 }, /offset is not an integer/],
    'a broken offset': [{ offset: 0.5 }, /offset is not an integer/],
    'an offset of 2^53': [{ offset: 2 ** 53 }, /offset is not an integer/],
    'an offset as text': [{ offset: '0' }, /offset is not an integer/],
    'an offset without room for the data': [{ offset: 2 ** 53 - 2, data: 'AAAA' }, /too large/],
    'a missing acknowledgement': [{ ack: undefined }, /ack is not an integer/],
    'a missing window': [{ window: null }, /window is not an integer/],
    'data that is no text': [{ data: [1, 2] }, /data is not a string/],
    'an end that is neither true nor false': [{ fin: 1 }, /fin is not/],
    'a last word that is neither true nor false': [{ last: 'yes' }, /last is not/],
    'a delay before its time': [{ delay: -1 }, /delay is not an integer/],
    'too many ranges': [{ have: ranges(MAX_RANGES + 1) }, /have is not a short array/],
    'an empty range': [{ have: [[5, 5]] }, /empty range/],
    'a range backwards': [{ have: [[5, 4]] }, /empty range/],
    'a range of three': [{ have: [[1, 2, 3]] }, /pairs/],
    'a range of texts': [{ have: [['1', '2']] }, /offsets/],
    'an overlong destination': [{ type: 'CONNECT', destination: long }, /longer than 1024/],
    'a destination that is no text': [{ type: 'CONNECT', destination: 80 }, /not a string/],
    'a version without a window': [{ type: 'CONNECT', v: 1, window: undefined }, /window is not/],
    'a reverse stream without an address': [{ type: 'CONNECTR' }, /entryPublicAddress is not/],
    'a secret of another length': [
      { type: 'CONNECTR', entryPublicAddress: 'a:1', secret: 'AAAA' },
      /32 bytes/,
    ],
    'a secret that is no text': [
      { type: 'CONNECTR', entryPublicAddress: 'a:1', secret: {} },
      /32 bytes/,
    ],
    'an overlong detail': [{ type: 'RESET', error: 'dns_error', detail: long }, /longer than 1024/],
    'a reset without a reason': [{ type: 'RESET' }, /error is not a string/],
  };
  for (const [what, [fields, message]] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      expect(decodeMessage(good)).to.include({ type: 'DATA', fin: false });
      expectError('bad_message', () => decodeMessage({ ...good, ...fields }), message);
    });
  }

  it('takes the greatest offset that leaves room for the data and the end', () => {
    const message = { ...good, offset: 2 ** 53 - 5, data: 'AAAA' };
    expect(decodeMessage(message)).to.include({ offset: 2 ** 53 - 5 });
  });

  it('reads as many ranges and messages as the limits say, and no more', () => {
    expect(decodeMessage({ ...good, have: ranges(MAX_RANGES) }))
      .to.have.property('have')
      .with.length(MAX_RANGES);
    const pings = Array.from({ length: MAX_MESSAGES }, () => ({ type: 'PING', key: KEY }));
    expect(decodeMessages(JSON.stringify(pings)).messages).to.have.length(MAX_MESSAGES);
    const more = JSON.stringify([...pings, pings[0]]);
    expectError('bad_message', () => decodeMessages(more), /more than 1024/);
  });

  it('leaves out and counts the invalid members of an array', () => {
    const ping = { type: 'PING', key: KEY };
    expect(decodeMessages(JSON.stringify([null, ping, [ping], 7, {}, ping]))).to.deep.equal({
      messages: [ping, ping],
      invalid: 4,
    });
  });

  it('refuses what is not JSON, however deep', () => {
    for (const json of ['', '{', 'GET / HTTP/1.1', '['.repeat(100_000), '7', 'null', '"a"']) {
      expectError('bad_message', () => decodeMessages(json));
    }
  });

  it('is not fooled by fields of the prototype', () => {
    const json = `{"key":"${KEY}","__proto__":{"type":"PING"}}`;
    expectError('bad_message', () => decodeMessages(json), /type is unknown/);
  });

  it('throws nothing but bad_message for any text, value or damaged message', () => {
    const fields = fc.constantFrom(
      ...['type', 'key', 'offset', 'data', 'ack', 'window', 'fin', 'have'],
      ...['v', 'destination', 'secret', 'entryPublicAddress', 'error', 'detail'],
    );
    const damaged = fc.tuple(anyMessage, fields, fc.jsonValue()).map(([message, field, value]) => ({
      ...JSON.parse(encodeMessage(message)),
      [field]: value,
    }));
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      damaged.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(texts, fc.oneof(fc.anything(), damaged), (json, value) => {
        onlyBadMessage(() => decodeMessages(json));
        onlyBadMessage(() => decodeMessage(value));
      }),
      { numRuns: 300 },
    );
  });
});

function onlyBadMessage(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(error).to.be.instanceOf(NwsError).with.property('code', 'bad_message');
  }
}
