import { expect } from 'chai';
import { Rest } from '../../../src/tunnel/direct/rest.js';

const MINUTE_MS = 60_000;

/** How long it rests from `now` on, in ms. */
function restOf(rest: Rest, now: number): number {
  let ms = 0;
  while (rest.isOn(now + ms)) ms += 500;
  return ms;
}

describe('when a direct path is looked for again', () => {
  let rest: Rest;

  beforeEach(() => {
    rest = new Rest();
  });

  it('is at once, in the beginning', () => expect(restOf(rest, 0)).to.equal(0));

  it('is after a minute, and twice as long each time, up to half an hour', () => {
    const rests = Array.from({ length: 7 }, () => {
      rest.failed('no', 0);
      return restOf(rest, 0) / MINUTE_MS;
    });
    expect(rests).to.deep.equal([1, 2, 4, 8, 16, 30, 30]);
    expect(rest.reason).to.equal('no');
  });

  it('is soon where it stood and is lost, however short that was', () => {
    rest.lost('cut', 5_000, 0);
    expect(restOf(rest, 0)).to.equal(1_000);
  });

  it('is later and later where it comes and goes', () => {
    const rests = Array.from({ length: 4 }, () => {
      rest.lost('cut', 5_000, 0);
      return restOf(rest, 0) / MINUTE_MS;
    });
    expect(rests.slice(1)).to.deep.equal([1, 2, 4]);
  });

  it('is soon again after one that lasted, or where everything may be different', () => {
    for (let count = 0; count < 3; count += 1) rest.failed('no', 0);
    rest.lost('cut', 30_000, 0);
    expect(restOf(rest, 0)).to.equal(1_000);
    rest.failed('no', 0);
    rest.forget();
    expect(restOf(rest, 0)).to.equal(0);
  });
});
