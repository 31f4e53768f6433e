// A clock that jumps is noticed; one that runs is not.

import { expect } from 'chai';
import { Suspension } from '../../../src/relay/connection/suspension.js';

describe('relay/suspension', function () {
  this.timeout(15_000);

  it('tells of a gap in the clock, and of nothing else', async () => {
    let offset = 0;
    const gaps: number[] = [];
    const resumed = new Promise<void>((resolve) => {
      const clock = (): number => performance.now() + offset;
      const suspension = new Suspension((gapMs) => {
        gaps.push(gapMs);
        suspension.close();
        resolve();
      }, clock);
      // Ticks go by unnoticed before the clock jumps.
      setTimeout(() => (offset = 3_600_000), 4_500);
    });
    const keptAlive = setInterval(() => undefined, 1_000);
    await resumed;
    clearInterval(keptAlive);
    expect(gaps).to.have.length(1);
    expect(gaps[0]).to.be.within(3_590_000, 3_610_000);
  });
});
