import { expect } from 'chai';
import { BoundedMap, BoundedSet } from '../../src/common/bounded.js';

describe('common/bounded', () => {
  it('forgets what was set longest ago when one more comes than fits', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1).set('b', 2).set('a', 3).set('c', 4);
    expect([...map]).to.deep.equal([
      ['a', 3],
      ['c', 4],
    ]);
    const set = new BoundedSet<string>(2);
    set.add('a').add('b').add('a').add('c');
    expect([...set]).to.deep.equal(['a', 'c']);
  });

  it('never holds more than its limit, whatever is set', () => {
    const map = new BoundedMap<number, number>(10);
    const set = new BoundedSet<number>(10);
    for (let turn = 0; turn < 1_000; turn += 1) {
      map.set(turn % 37, turn);
      set.add(turn % 41);
      expect(map.size).to.equal(Math.min(turn + 1, 10));
      expect(set.size).to.equal(Math.min(turn + 1, 10));
      expect(map.get(turn % 37)).to.equal(turn);
    }
  });
});
