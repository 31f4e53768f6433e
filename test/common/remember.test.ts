// The bounded cache behind the keys of peers.

import { expect } from 'chai';
import { remember } from '../../src/common/remember.js';

describe('common/remember', () => {
  it('computes once what it still knows', () => {
    const computed: string[] = [];
    const upper = remember(2, (key) => computed.push(key) && key.toUpperCase());
    expect(['a', 'a', 'b', 'a'].map(upper)).to.deep.equal(['A', 'A', 'B', 'A']);
    expect(computed).to.deep.equal(['a', 'b']);
  });

  it('forgets what was unused for longest when it is full', () => {
    const computed: string[] = [];
    const get = remember(2, (key) => computed.push(key));
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) get(key);
    expect(computed).to.deep.equal(['a', 'b', 'c', 'b']);
  });

  it('keeps no failure', () => {
    let calls = 0;
    const get = remember(2, () => {
      calls += 1;
      if (calls === 1) throw new Error('once');
      return calls;
    });
    expect(() => get('a')).to.throw('once');
    expect(get('a')).to.equal(2);
  });
});
