import { expect } from 'chai';
import { Budget } from '../../../src/protocol/peer/budget.js';

describe('protocol/budget', () => {
  it('gives everything to one while nobody else wants it', () => {
    const budget = new Budget(100);
    expect(budget.take({}, 100)).to.equal(true);
    expect(budget.usedBytes).to.equal(100);
  });

  it('still gives an equal share to others when one has taken it all', () => {
    const budget = new Budget(100);
    const [hog, late] = [{}, {}];
    budget.take(hog, 100);
    expect(budget.take(hog, 1)).to.equal(false);
    expect(budget.take(late, 50)).to.equal(true);
    expect(budget.take(late, 1)).to.equal(false);
    // The hog is over its share until it has given back.
    budget.give(hog, 60);
    expect(budget.take(hog, 10)).to.equal(true);
  });

  it('never holds more than twice the total, whoever comes', () => {
    const budget = new Budget(1_000);
    for (let peer = 0; peer < 500; peer += 1) {
      const holder = {};
      while (budget.take(holder, 10));
    }
    expect(budget.usedBytes).to.be.at.most(2_000);
  });

  it('takes what must be taken', () => {
    const budget = new Budget(10);
    const holder = {};
    budget.take(holder, 10);
    expect(budget.take(holder, 5, true)).to.equal(true);
    budget.give(holder, 15);
    expect(budget.usedBytes).to.equal(0);
  });
});
