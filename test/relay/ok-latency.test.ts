// How much may wait for a relay's OK: as much as keeps it busy, and no queue in front of it.

import { expect } from 'chai';
import { MAX_UNCONFIRMED_BYTES } from '../../src/limits.js';
import { OkLatency } from '../../src/relay/publishing/ok-latency.js';

/** What settles where a relay takes so many bytes a ms, with OKs that are on their way for so long. */
function settled(bytesPerMs: number, wayMs: number): number {
  const latency = new OkLatency();
  latency.sample(wayMs);
  for (let count = 0; count < 1_000; count += 1) {
    latency.sample(Math.max(wayMs, latency.unconfirmedBytes / bytesPerMs));
  }
  return latency.unconfirmedBytes;
}

describe('relay/ok-latency', () => {
  it('begins carefully, while nothing is known', () => {
    expect(new OkLatency().unconfirmedBytes).to.equal(MAX_UNCONFIRMED_BYTES / 4);
    expect(new OkLatency().smoothedMs).to.equal(undefined);
  });

  it('fills the way to a quick relay, be it near or far', () => {
    for (const wayMs of [1, 30, 100]) {
      const filled = Math.min(MAX_UNCONFIRMED_BYTES, wayMs * 100_000);
      expect(settled(100_000, wayMs)).to.be.within(filled, MAX_UNCONFIRMED_BYTES);
    }
    expect(settled(10_000, 200)).to.be.within(200 * 10_000, 2 * 200 * 10_000);
  });

  it('keeps the queue short in front of a slow one', () => {
    for (const bytesPerMs of [100, 1_000]) {
      expect(settled(bytesPerMs, 20)).to.equal(MAX_UNCONFIRMED_BYTES / 4);
    }
    expect(settled(20_000, 20) / 20_000).to.be.below(100);
  });
});
