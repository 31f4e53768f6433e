import { expect } from 'chai';
import { TimeHeap } from '../../src/common/time-heap.js';
import { random } from '../support/random.js';

describe('common/time-heap', () => {
  it('gives out what is due, the earliest first, and keeps the rest', () => {
    const heap = new TimeHeap<string>();
    for (const [item, at] of Object.entries({ c: 30, a: 10, d: 40, b: 20 })) heap.set(item, at);
    expect(heap.earliestAt).to.equal(10);
    const due: (string | undefined)[] = [];
    for (let count = 0; count < 4; count += 1) due.push(heap.takeDue(30));
    expect(due).to.deep.equal(['a', 'b', 'c', undefined]);
    expect(heap.earliestAt).to.equal(40);
  });

  it('is what a sorted list would be, whatever is set, moved and taken out', () => {
    const heap = new TimeHeap<number>();
    const model = new Map<number, number>();
    const { integer, chance } = random(7);
    for (let step = 0; step < 20_000; step += 1) {
      const item = integer(200);
      const at = chance(0.2) ? undefined : integer(1_000);
      if (chance(0.1)) {
        heap.delete(item);
        model.delete(item);
      } else {
        heap.set(item, at);
        if (at === undefined) model.delete(item);
        else model.set(item, at);
      }
      if (chance(0.2)) {
        const now = integer(1_000);
        const due = heap.takeDue(now);
        if (due === undefined) expect(Math.min(...model.values())).to.be.above(now);
        else expect(model.get(due)).to.equal(Math.min(...model.values()));
        if (due !== undefined) model.delete(due);
      }
      const earliest = model.size === 0 ? undefined : Math.min(...model.values());
      expect(heap.earliestAt).to.equal(earliest);
    }
  });
});
