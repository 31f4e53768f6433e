// When a direct path is looked for again.

import { expect } from 'chai';
import { Rest } from '../../../src/tunnel/direct/rest.js';

/** How long it rests from `now` on, in s. */
function restsFor(rest: Rest, now: number): number {
  let seconds = 0;
  while (rest.isOn(now + seconds * 1_000)) seconds += 1;
  return seconds;
}

describe('the rest of a direct path that was not to be had', () => {
  it('doubles with each failure, up to half an hour, and is over when one works', () => {
    const rest = new Rest();
    const rests: number[] = [];
    for (let now = 0; rests.length < 7; now += 10_000_000) {
      rest.failed('no probe came through', now - 6_000, now);
      rests.push(restsFor(rest, now));
    }
    expect(rests).to.deep.equal([60, 120, 240, 480, 960, 1_800, 1_800]);
    expect(rest.reason).to.equal('no probe came through');
    rest.forget();
    rest.failed('again', 1e9, 1e9);
    expect(restsFor(rest, 1e9)).to.equal(60);
  });

  it('is short behind a path that lasted', () => {
    const rest = new Rest();
    rest.lost('gone', 0, 60_000);
    expect(restsFor(rest, 60_000)).to.equal(1);
    rest.lost('gone', 61_000, 62_000);
    expect(restsFor(rest, 62_000)).to.equal(60);
  });

  it('is short behind the first one that is lost, and longer each time where they come and go', () => {
    const rest = new Rest();
    const rests = Array.from({ length: 4 }, (_, index) => {
      const now = 1e7 * index;
      rest.lost('gone', now - 5_000, now);
      return restsFor(rest, now);
    });
    expect(rests).to.deep.equal([1, 60, 120, 240]);
  });

  it('is over when the network changes, and short for what had begun before that', () => {
    const rest = new Rest();
    rest.failed('no probe came through', 0, 6_000);
    rest.networkChanged(10_000);
    expect(restsFor(rest, 10_000)).to.equal(0);
    rest.lost('gone', 7_000, 17_000);
    expect(restsFor(rest, 17_000)).to.equal(1);
    rest.failed('no probe came through', 9_000, 18_000);
    expect(restsFor(rest, 18_000)).to.equal(1);
    rest.failed('no probe came through', 20_000, 26_000);
    expect(restsFor(rest, 26_000)).to.equal(60);
  });
});
