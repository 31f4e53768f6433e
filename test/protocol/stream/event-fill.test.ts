// Bulk goes out in full events, and nothing else waits for that.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { PeerState } from '../../../src/protocol/peer/peer-state.js';
import type { StreamState } from '../../../src/protocol/stream/stream-state.js';
import type { Data } from '../../../src/protocol/wire/message.js';

/** Of an event. */
const CAPACITY = 40_960;
/** What one event takes, less what may be lost to rounding. */
const FULL = 29_000;
/** A record of TLS, which is what writers make. */
const RECORD = Buffer.alloc(16_384);

describe('protocol/event-fill', () => {
  let exit: PeerState;
  let stream: StreamState;

  beforeEach(() => {
    exit = new PeerState({
      role: 'exit',
      windowBytes: () => 100_000,
      memory: { take: () => true, give: () => undefined },
      flightShareBytes: () => 10_000_000,
      newKey: randomUUID,
      now: 0,
    });
    const key = randomUUID();
    const asked = { type: 'CONNECT', key, destination: 'x', v: 1, window: 10_000_000 } as const;
    stream = exit.receive(asked, 0, true)!;
    stream.accept(0);
    sizes(0);
  });

  /** Of the data in the events that leave now. */
  function sizes(now: number): number[] {
    const found: number[] = [];
    for (;;) {
      const parcels = exit.pull(now, CAPACITY);
      if (parcels.length === 0) return found;
      const messages = parcels.map(({ message }) => message);
      const data = messages.filter((message): message is Data => message.type === 'DATA');
      if (data.length > 0) found.push(data.reduce((sum, one) => sum + one.data.length, 0));
    }
  }

  it('sends the first piece at once, and all but the last behind it full', () => {
    const left: number[] = [];
    for (let now = 100; now < 150; now += 1) {
      stream.send.write(RECORD);
      left.push(...sizes(now));
    }
    left.push(...sizes(200));
    expect(left[0]).to.equal(RECORD.length);
    for (const bytes of left.slice(1, -1)) expect(bytes).to.be.at.least(FULL);
    expect(left.reduce((sum, bytes) => sum + bytes)).to.equal(50 * RECORD.length);
  });

  it('lets what is left go after a moment, which it is woken for', () => {
    stream.send.write(RECORD);
    expect(sizes(100)).to.deep.equal([RECORD.length]);
    stream.send.write(Buffer.alloc(10));
    expect([sizes(100), exit.ready(100)]).to.deep.equal([[], false]);
    const wakeAt = exit.wakeAt(100)!;
    expect(wakeAt).to.be.within(101, 110);
    expect([exit.ready(wakeAt), sizes(wakeAt)]).to.deep.equal([true, [10]]);
  });

  it('sends the end, and small pieces behind small ones, at once', () => {
    for (const now of [100, 101]) {
      stream.send.write(Buffer.alloc(100));
      expect(sizes(now)).to.deep.equal([100]);
    }
    stream.send.write(RECORD);
    sizes(102);
    stream.send.write(Buffer.alloc(10));
    stream.send.end();
    expect(sizes(102)).to.deep.equal([10]);
  });

  it('sends again at once what was refused', () => {
    stream.send.write(RECORD);
    const parcels = exit.pull(100, CAPACITY);
    exit.lost(parcels, 101);
    expect(sizes(101)).to.deep.equal([RECORD.length]);
  });
});
