import { expect } from 'chai';
import {
  certificateEvent,
  offersDirect,
  speaksReliableStreams,
} from '../../../src/protocol/wire/events.js';
import { decodeMessage } from '../../../src/protocol/wire/message.js';

const KEY = '3b1f09a8-2b10-4daa-880c-2a392e781f09';
const read = (fields: object): object => decodeMessage({ type: 'PATH', key: KEY, ...fields });

describe('protocol/path', () => {
  it('reads the beginning of lists that are too long', () => {
    const candidates = Array.from({ length: 1_000 }, (_, index) => `192.0.2.1:${index}`);
    expect(read({ candidates, stun: candidates })).to.deep.equal({
      ...{ type: 'PATH', key: KEY },
      ...{ candidates: candidates.slice(0, 8), stun: candidates.slice(0, 4) },
    });
  });

  it('leaves out what is no text, and lists that are none', () => {
    const found = read({ candidates: [7, null, {}, '1.2.3.4:5', 'x'.repeat(300)], stun: 'no' });
    expect(found).to.deep.equal({ type: 'PATH', key: KEY, candidates: ['1.2.3.4:5'] });
    expect(read({})).to.deep.equal({ type: 'PATH', key: KEY, candidates: [] });
  });

  it('is offered by a word behind the version, which changes nothing else', () => {
    for (const direct of [true, false]) {
      const event = certificateEvent('pem', 'a'.repeat(64), 'ff', 1, direct);
      expect(offersDirect(event)).to.equal(direct);
      expect(speaksReliableStreams(event)).to.equal(true);
    }
    expect(offersDirect({ tags: [['nws', 'direct']] })).to.equal(false);
    expect(offersDirect({ tags: [] })).to.equal(false);
  });
});
