// Base64 without a look at each character: it takes what is canonical, and nothing else.

import { expect } from 'chai';
import fc from 'fast-check';
import { decodeBase64 } from '../../../src/protocol/wire/base64.js';

/** By the definition: the text that the bytes are written as. */
function byDefinition(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

describe('protocol/base64', () => {
  it('gives the bytes back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(decodeBase64(text)).to.deep.equal(Buffer.from(bytes));
      }),
    );
  });

  it('refuses whatever is not the one way to write them', () => {
    const unit = fc.constantFrom(...'ABYZafz0189+/=-_ \n\té€\\"#');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 16 }), (text) => {
        expect(decodeBase64(text)).to.deep.equal(byDefinition(text));
      }),
      { numRuns: 20_000 },
    );
  });

  it('finds one wrong character in a long text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 300 }),
        fc.nat(),
        fc.string({ unit: 'binary' }),
        (bytes, at, wrong) => {
          const text = Buffer.from(bytes).toString('base64');
          const place = at % text.length;
          const damaged = `${text.slice(0, place)}${wrong}${text.slice(place + 1)}`;
          expect(decodeBase64(damaged)).to.deep.equal(byDefinition(damaged));
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
