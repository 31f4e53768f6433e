// Throughput in samples: what each covers, and how many are kept.

import { expect } from 'chai';
import { Samples } from '../../src/status/live/samples.js';

const sums = (bytesUp: number, bytesDown: number) => ({ bytesUp, bytesDown });

describe('status/samples', () => {
  it('cover the time since the one before, from the beginning on', () => {
    const samples = new Samples(1_000);
    samples.take(sums(10, 20), 11_000);
    samples.take(sums(15, 120), 12_000);
    expect(samples.all).to.deep.equal([
      { at: 11_000, seconds: 10, bytesUp: 10, bytesDown: 20 },
      { at: 12_000, seconds: 1, bytesUp: 5, bytesDown: 100 },
    ]);
  });

  it('are not taken by everybody who looks at the same moment', () => {
    const samples = new Samples(0);
    samples.take(sums(10, 0), 1_000);
    samples.take(sums(11, 0), 1_200);
    samples.take(sums(12, 0), 2_000);
    expect(samples.all.map(({ bytesUp }) => bytesUp)).to.deep.equal([10, 2]);
  });

  it('outlive a clock that is set back', () => {
    const samples = new Samples(1_000_000);
    samples.take(sums(10, 0), 1_001_000);
    samples.take(sums(20, 0), 5_000);
    samples.take(sums(21, 0), 6_000);
    expect(samples.all.map(({ bytesUp, seconds }) => [bytesUp, seconds])).to.deep.equal([
      [10, 1],
      [1, 1],
    ]);
  });

  it('are so many at most', () => {
    const samples = new Samples(0);
    for (let second = 1; second <= 1_000; second += 1)
      samples.take(sums(second, 0), second * 1_000);
    expect(samples.all).to.have.length(900);
    expect(samples.all.at(-1)?.at).to.equal(1_000_000);
  });
});
