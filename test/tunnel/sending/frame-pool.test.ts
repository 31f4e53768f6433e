// Memory for frames: used again when it was given back, and never before.

import { expect } from 'chai';
import { FramePool } from '../../../src/tunnel/sending/frame-pool.js';

const BULK = 56 * 1_024;

describe('memory for frames', () => {
  it('is used again once it was given back, for any frame that fits', () => {
    const pool = new FramePool();
    const first = pool.take(BULK).fill(1);
    const second = pool.take(BULK).fill(2);
    expect(second.buffer).to.not.equal(first.buffer);
    expect(first.every((byte) => byte === 1)).to.equal(true);
    pool.giveBack(first.subarray(0, BULK - 100)); // as a frame is that took less than was thought
    const third = pool.take(66 * 1_024);
    expect(third.buffer).to.equal(first.buffer);
    expect(third).to.have.lengthOf(66 * 1_024);
    expect(pool.take(BULK).buffer).to.not.equal(third.buffer);
  });

  it('is no part of what others keep theirs in, and none of what they give', () => {
    const pool = new FramePool();
    for (const small of [pool.take(100), pool.take(2_000_000), Buffer.from('pooled by Node')]) {
      pool.giveBack(small);
      expect(pool.take(BULK).buffer).to.not.equal(small.buffer);
    }
    const inside = pool.take(BULK).subarray(1);
    pool.giveBack(inside);
    expect(pool.take(BULK).buffer).to.not.equal(inside.buffer);
  });

  it('is kept within a bound', () => {
    const pool = new FramePool();
    const frames = Array.from({ length: 100 }, () => pool.take(BULK));
    for (const frame of frames) pool.giveBack(frame);
    const known = new Set(frames.map(({ buffer }) => buffer));
    const again = Array.from({ length: 100 }, () => pool.take(BULK));
    const reused = again.filter(({ buffer }) => known.has(buffer));
    expect(reused).to.have.lengthOf(32);
    expect(new Set(again.map(({ buffer }) => buffer))).to.have.lengthOf(100);
  });
});
