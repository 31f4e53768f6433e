// Bytes that wait: whatever the sizes of writes and of what is taken, they come out as they went in.

import { expect } from 'chai';
import fc from 'fast-check';
import { SendQueue } from '../../../src/protocol/stream/sending/send-queue.js';

describe('protocol/send-queue', () => {
  it('gives back what was written, in order, however it is cut', () => {
    const step = fc.record({ push: fc.nat(50_000), take: fc.nat(90_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const queue = new SendQueue();
        let [written, taken] = [0, 0];
        const check = (size: number): void => {
          const part = queue.take(size);
          expect(part.length).to.equal(size);
          expect(part.equals(pattern(taken, size))).to.equal(true);
          taken += size;
          expect(queue.bytes).to.equal(written - taken);
        };
        for (const { push, take } of steps) {
          queue.push(pattern(written, push));
          written += push;
          check(Math.min(take, queue.bytes));
        }
        check(queue.bytes);
      }),
    );
  });

  it('leaves the writer its memory, and what was taken as it is', () => {
    const queue = new SendQueue();
    const memory = Buffer.from('first');
    queue.push(memory);
    queue.push(Buffer.from('second'));
    memory.fill(0);
    const part = queue.take(5);
    queue.push(Buffer.alloc(100));
    expect([String(part), String(queue.take(6))]).to.deep.equal(['first', 'second']);
  });

  it('cuts bulk without another copy, and holds no more than a slab beyond what waits', () => {
    const queue = new SendQueue();
    const slabs = new Set<ArrayBufferLike>();
    for (let round = 0; round < 100; round += 1) {
      while (queue.bytes < 100_000) queue.push(Buffer.alloc(16_406));
      slabs.add(queue.take(40_913).buffer);
    }
    expect(slabs.size).to.be.below(50);
    for (const { byteLength } of slabs) expect(byteLength).to.be.at.most(262_144);
  });
});

const BYTES = Buffer.from(Array.from({ length: 1_600_000 }, (_, index) => index % 251));

function pattern(from: number, size: number): Buffer {
  return Buffer.from(BYTES.subarray(from, from + size));
}
