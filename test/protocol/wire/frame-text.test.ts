// Frames with long base64 in them, read around it: what comes out is what JSON.parse reads, whatever the frame is like.

import { expect } from 'chai';
import fc from 'fast-check';
import { parseFrame } from '../../../src/protocol/wire/frame-text.js';

const base64 = fc
  .uint8Array({ minLength: 800, maxLength: 900 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
const text = fc.string({ unit: 'binary', maxLength: 20 });
const content = fc.oneof(
  base64,
  fc.tuple(base64, text).map((parts) => parts.join('')),
  base64.map((long) => `${long.slice(0, -1)}-`),
  fc.string({ unit: 'binary', minLength: 1_000, maxLength: 1_200 }),
);
/** Of an event, in any order; and what no event has. */
const field = fc.oneof(
  fc.tuple(fc.constant('content'), content),
  fc.tuple(fc.constantFrom('id', 'pubkey', 'sig', 'more'), text),
  fc.tuple(fc.constant('tags'), fc.array(fc.array(fc.oneof(text, fc.constant('"content":"'))))),
  fc.tuple(fc.constant('nested'), fc.record({ content })),
  fc.tuple(fc.constantFrom('kind', 'created_at'), fc.nat()),
);
const event = fc.uniqueArray(field, { selector: ([name]) => name }).map(Object.fromEntries);

function ordinary(frame: string): unknown {
  try {
    const value: unknown = JSON.parse(frame);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

describe('protocol/frame-text', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(event, text, fc.nat()), { maxLength: 4 }), (values) => {
        const frame = JSON.stringify(values);
        expect(parseFrame(Buffer.from(frame))?.values).to.deep.equal(ordinary(frame));
      }),
      { numRuns: 500 },
    );
  });

  it('hands out long base64 in an event, as it stands there and as bytes', () => {
    fc.assert(
      fc.property(base64, text, (long, id) => {
        const frame = Buffer.from(JSON.stringify(['EVENT', id, { id, content: long, sig: id }]));
        const parsed = parseFrame(frame)!;
        expect(parsed.values).to.deep.equal(['EVENT', id, { id, content: long, sig: id }]);
        expect(String(parsed.content?.json)).to.equal(long);
        expect(parsed.content?.bytes.toString('base64')).to.equal(long);
      }),
    );
  });

  it('takes no broken frame for a whole one', () => {
    fc.assert(
      fc.property(base64, fc.nat(), fc.nat(255), (long, at, byte) => {
        const frame = Buffer.from(JSON.stringify(['EVENT', { content: long, id: 'x' }]));
        frame[at % frame.length] = byte;
        expect(parseFrame(frame)?.values).to.deep.equal(ordinary(String(frame)));
        const cut = frame.subarray(0, at % frame.length);
        expect(parseFrame(cut)?.values).to.deep.equal(ordinary(String(cut)));
      }),
      { numRuns: 500 },
    );
  });

  it('hands out nothing of what is no content of the event', () => {
    const long = Buffer.alloc(900).toString('base64');
    for (const frame of [
      `["EVENT",{"content":"${long}","content":"x"}]`,
      `["EVENT",{"nested":{"content":"${long}"}}]`,
      `["EVENT",{"content":["${long}"]}]`,
      `["EVENT","${long}",{"content":"x"}]`,
      `["EVENT",{"content":"${long}\\n"}]`,
      `{"content":"${long}"}`,
      `["EVENT",{"content":"${long}`,
    ]) {
      const parsed = parseFrame(Buffer.from(frame));
      expect(parsed?.content, frame.replace(long, '…')).to.equal(undefined);
      expect(parsed?.values).to.deep.equal(ordinary(frame));
    }
  });
});
