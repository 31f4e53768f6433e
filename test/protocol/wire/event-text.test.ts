// Events as text: joined from their parts or written by JSON.stringify, it is the same text.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  eventBytes,
  eventBytesAround,
  FRAME_OVERHEAD_BYTES,
  idParts,
  idText,
  isPlain,
  publish,
} from '../../../src/protocol/wire/event-text.js';

const long = fc.uint8Array({ minLength: 400, maxLength: 600 });
const base64 = long.map((bytes) => Buffer.from(bytes).toString('base64'));
const content = fc.oneof(
  base64,
  fc.string({ unit: 'binary', minLength: 500, maxLength: 700 }),
  fc.tuple(base64, fc.string({ unit: 'binary' })).map((parts) => parts.join('')),
);
const hex = fc.stringMatching(/^[0-9a-f]{8}$/);
const event = fc.record({
  ...{ content, id: hex, pubkey: hex, sig: hex },
  created_at: fc.nat(),
  kind: fc.nat(65_535),
  tags: fc.array(fc.array(fc.string({ unit: 'binary' }))),
});

describe('protocol/event-text', () => {
  it('is what JSON.stringify writes, whatever is in the event', () => {
    fc.assert(
      fc.property(event, (one) => {
        const plain = isPlain(one.content);
        const { content: said, created_at, id, kind, pubkey, sig, tags } = one;
        const hashed = JSON.stringify([0, pubkey, created_at, kind, tags, said]);
        expect(idText(one)).to.equal(hashed);
        if (plain) expect(idParts(one).join('')).to.equal(hashed);
        const text = JSON.stringify({ content: said, created_at, id, kind, pubkey, sig, tags });
        expect(String(eventBytes(one))).to.equal(text);
        if (plain) expect(String(eventBytesAround(Buffer.from(said), one))).to.equal(text);
      }),
    );
  });

  it('frames an event with base64 as JSON does, its bytes at hand for the signature', () => {
    fc.assert(
      fc.property(event, base64, (one, said) => {
        const sent = { ...one, content: said, tags: [['p', one.pubkey]] };
        const { event: signed, frame } = publish(said, (json) => {
          expect(String(json)).to.equal(said);
          return sent;
        });
        expect(signed).to.equal(sent);
        const bytes = eventBytes(sent);
        expect(String(frame)).to.equal(`["EVENT",${bytes}]`);
        expect(frame.length - FRAME_OVERHEAD_BYTES).to.equal(bytes.length);
      }),
    );
  });

  it('takes base64 alone for what JSON leaves as it is, and nothing that is no text', () => {
    fc.assert(fc.property(base64, isPlain));
    const text = Buffer.alloc(600).toString('base64');
    for (const other of [`${text}"`, `\n${text}`, `${text}é`, text.replace('A', '\\'), '', 'AAAA'])
      expect(isPlain(other), other).to.equal(false);
    for (const other of [undefined, null, 7, [text], {}]) expect(isPlain(other)).to.equal(false);
  });

  it('leaves out what is no field of NIP-01', () => {
    const one = { content: '', created_at: 1, id: 'a', kind: 1, pubkey: 'b', sig: 'c', tags: [] };
    expect(JSON.parse(String(eventBytes({ ...one, more: true } as never)))).to.deep.equal(one);
  });
});
