// Random bytes by the handful, drawn from a pool.

import { expect } from 'chai';
import { randomHandful } from '../../src/crypto/random.js';

describe('random bytes by the handful', () => {
  it('are never the same, nor changed by those that follow', () => {
    const drawn = Array.from({ length: 1_000 }, () => randomHandful(32));
    const asText = new Set(drawn.map((bytes) => bytes.toString('hex')));
    expect(asText.size).to.equal(1_000);
    for (const bytes of drawn) expect(bytes).to.have.lengthOf(32);
  });

  it('share no memory with the pool or each other', () => {
    const [one, other] = [randomHandful(32), randomHandful(4_096)];
    const before = other.toString('hex');
    one.fill(0);
    randomHandful(4_096);
    expect(other.toString('hex')).to.equal(before);
    expect(other.every((byte) => byte === 0)).to.equal(false);
  });
});
