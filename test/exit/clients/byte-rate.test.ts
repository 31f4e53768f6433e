// The token bucket's arithmetic, in a time that the test makes.

import { expect } from 'chai';
import fc from 'fast-check';
import { ByteRate } from '../../../src/exit/clients/byte-rate.js';

/** What passes at once after a silence, in ms of the rate. */
const BURST_MS = 250;

describe('exit/byte-rate', () => {
  it('holds nobody back without a limit', () => {
    const rate = new ByteRate(Number.POSITIVE_INFINITY);
    expect(rate.isLimited).to.equal(false);
    for (const now of [0, 0, 1, 1]) {
      rate.take(1e12, now);
      expect(rate.waitMs(now)).to.equal(0);
    }
  });

  it('lets a quarter of a second through at once, and then says how long to wait', () => {
    const rate = new ByteRate(1_000);
    expect(rate.isLimited).to.equal(true);
    expect(rate.waitMs(10_000)).to.equal(0);
    for (const [bytes, waitMs] of [
      [250, 0],
      [100, 100],
      [100, 200],
    ] as const) {
      rate.take(bytes, 10_000);
      expect(rate.waitMs(10_000)).to.equal(waitMs);
    }
    expect(rate.waitMs(10_150)).to.equal(50);
    rate.take(100, 10_150);
    expect(rate.waitMs(10_150)).to.equal(150);
  });

  it('lets nothing more through at once after a long silence than after a short one', () => {
    const rate = new ByteRate(1_000);
    rate.take(5_000, 10_000);
    expect(rate.waitMs(14_750)).to.equal(0);
    rate.take(300, 1_000_000);
    expect(rate.waitMs(1_000_000)).to.equal(50);
  });

  it('works from the first moment of a process on', () => {
    const rate = new ByteRate(1_000);
    rate.take(1_000, 0);
    expect(rate.waitMs(0)).to.be.within(1_000 - BURST_MS, 1_000);
  });

  it('passes the rate, a burst and the last piece in any stretch of time, however it is asked', () => {
    const steps = fc.array(
      fc.record({
        bytes: fc.integer({ min: 0, max: 70_000 }),
        idleMs: fc.integer({ min: 0, max: 2_000 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), steps, (bytesPerSecond, taken) => {
        const rate = new ByteRate(bytesPerSecond);
        let [now, passed] = [1_000, 0];
        for (const { bytes, idleMs } of taken) {
          now += idleMs;
          now += rate.waitMs(now);
          const most = (bytesPerSecond * (now - 1_000 + BURST_MS)) / 1_000;
          expect(passed).to.be.at.most(most * (1 + 1e-9));
          rate.take(bytes, now);
          passed += bytes;
        }
      }),
    );
  });

  it('gives those who never stop asking the whole rate', () => {
    const rate = new ByteRate(8_000);
    let now = 500;
    for (let count = 0; count < 1_000; count += 1) {
      now += rate.waitMs(now);
      rate.take(1_000, now);
    }
    expect(now + rate.waitMs(now) - 500).to.be.closeTo(1_000 * 125 - BURST_MS, 1e-6);
  });
});
