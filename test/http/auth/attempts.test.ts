// The slowing of failed attempts, by a clock of its own.

import { expect } from 'chai';
import { Attempts } from '../../../src/http/auth/attempts.js';

const LIMITS = {
  freeFailures: 2,
  firstPauseMs: 100,
  longestPauseMs: 400,
  longestWaitMs: 1_000,
  forgetMs: 10_000,
  maxAddresses: 3,
};
const HERE = '192.0.2.1';

describe('proxy: failed attempts', () => {
  let attempts: Attempts;

  beforeEach(() => {
    attempts = new Attempts(LIMITS);
  });

  const fail = (times: number, address = HERE, now = 0): void => {
    for (let time = 0; time < times; time += 1) attempts.failed(address, now);
  };

  it('cost nothing at first, then ever more, up to a bound', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6].map((failures) => {
      attempts = new Attempts(LIMITS);
      fail(failures);
      return attempts.turn(HERE, 0);
    });
    expect(waits).to.deep.equal([0, 0, 0, 100, 200, 400, 400]);
  });

  it('are judged one after the other, however many come at once', () => {
    fail(4);
    const turns = Array.from({ length: 8 }, () => attempts.turn(HERE, 0));
    expect(turns).to.deep.equal([200, 400, 600, 800, 1_000, undefined, undefined, undefined]);
    expect(attempts.turn(HERE, 600)).to.equal(600);
  });

  it('concern nobody at other addresses', () => {
    fail(50);
    expect(attempts.turn('192.0.2.2', 0)).to.equal(0);
    expect(attempts.turn('2001:db8::1', 0)).to.equal(0);
  });

  it('are forgotten with a right one, and after a while', () => {
    fail(5);
    attempts.succeeded(HERE);
    expect(attempts.turn(HERE, 0)).to.equal(0);
    fail(5);
    expect(attempts.turn(HERE, 10_001)).to.equal(0);
    attempts.failed(HERE, 10_001);
    expect(attempts.turn(HERE, 10_001)).to.equal(0);
  });

  it('count for a whole /64, and for an IPv4 address in either form', () => {
    const same: readonly (readonly [failed: string, asked: string])[] = [
      ['2001:db8:1:2::1', '2001:db8:1:2:a:b:c:d'],
      ['2001:db8::1', '2001:db8:0:0:1::'],
      ['::1', '::2'],
      ['fe80::1%eth0', 'fe80::2'],
      ['::ffff:192.0.2.9', '192.0.2.9'],
    ];
    for (const [failed, asked] of same) {
      fail(3, failed);
      expect(attempts.turn(asked, 0), asked).to.equal(100);
      attempts.succeeded(asked);
    }
    fail(3, '2001:db8:1:2::1');
    expect(attempts.turn('2001:db8:1:3::1', 0)).to.equal(0);
  });

  it('are remembered for so many addresses and no more', () => {
    for (const last of [1, 2, 3, 1, 4]) fail(3, `192.0.2.${last}`);
    expect(attempts.size).to.equal(3);
    expect(attempts.turn('192.0.2.2', 0)).to.equal(0);
    expect(attempts.turn('192.0.2.1', 0)).to.be.greaterThan(0);
  });
});
