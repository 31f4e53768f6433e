// What is known of one relay as a way to a peer: whether it leads there, and what is on its way.

import { expect } from 'chai';
import { RelayPath } from '../../../src/protocol/relay-path/relay-path.js';

describe('protocol/relay-path', () => {
  it('is proven by an answer to the question that went there, or by whatever is heard there', () => {
    const path = new RelayPath();
    path.asked('a', 0);
    path.answered('b', 10);
    expect(path.isProven).to.equal(false);
    path.answered('a', 50);
    expect(path.isProven).to.equal(true);
    expect(path.roundTrip.smoothedMs).to.equal(50);
    const other = new RelayPath();
    other.heard();
    expect(other.isProven).to.equal(true);
  });

  it('is asked seldom where nobody answers', () => {
    const path = new RelayPath();
    const asked: number[] = [];
    for (let now = 0; now < 600_000; now += 100) {
      if (!path.mayAsk(now)) continue;
      asked.push(now);
      path.asked(`${now}`, now);
    }
    expect(asked.slice(0, 4)).to.deep.equal([0, 2_000, 6_000, 14_000]);
    expect(asked).to.have.lengthOf.below(16);
  });

  it('fails after three time-outs of what was sent one after the other, with nothing heard in between', () => {
    const path = new RelayPath();
    path.heard();
    for (let segment = 0; segment < 20; segment += 1) path.timedOut(1_000, segment, 500);
    expect(path.isFailing).to.equal(false);
    path.timedOut(1_000, 600, 1_100);
    path.heard();
    path.timedOut(1_000, 1_200, 1_700);
    path.timedOut(1_000, 1_800, 2_500);
    expect(path.isFailing).to.equal(false);
    path.timedOut(1_000, 2_600, 4_000);
    expect(path.isFailing).to.equal(true);
    expect(path.isProven).to.equal(false);
    path.forget();
    expect(path.isFailing).to.equal(false);
  });

  it('has room until its limit is on its way', () => {
    const path = new RelayPath();
    path.sent(path.flight.bytes - 1);
    expect(path.hasRoom).to.equal(true);
    path.sent(1);
    expect(path.hasRoom).to.equal(false);
    path.dropped(1);
    expect(path.hasRoom).to.equal(true);
    path.arrived(path.inFlightBytes);
    expect(path.inFlightBytes).to.equal(0);
  });

  it('is left out for bulk where it is much slower than the one for everything else', () => {
    const [main, slow] = [new RelayPath(), new RelayPath()];
    expect(slow.isQuickBeside(main)).to.equal(true);
    main.measured(50, 50);
    slow.measured(400, 400);
    expect(slow.isQuickBeside(main)).to.equal(true);
    slow.measured(4_000, 5_000);
    expect(slow.isQuickBeside(main)).to.equal(false);
  });
});
