// The two halves of a stream by themselves: what they do at their edges.

import { expect } from 'chai';
import fc from 'fast-check';
import { ReceiveHalf } from '../../../src/protocol/stream/receive-half.js';
import { RoundTrip } from '../../../src/protocol/stream/round-trip.js';
import { SendHalf } from '../../../src/protocol/stream/sending/send-half.js';

const plenty = { take: () => true, give: () => undefined };

function receiver(windowBytes = 1_000): ReceiveHalf {
  return new ReceiveHalf(() => windowBytes, windowBytes, plenty);
}

function readAll(half: ReceiveHalf): string {
  let text = '';
  for (let data = half.take(0); data !== undefined; data = half.take(0)) text += data.toString();
  return text;
}

describe('protocol/receive-half', () => {
  it('puts any pieces of a text in order, however they overlap and repeat', () => {
    const text = 'the quick brown fox jumps over the lazy dog';
    const piece = fc.tuple(fc.nat(text.length), fc.nat(12));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const half = receiver();
        const heard = new Set<number>();
        for (const [from, length] of pieces) {
          const data = Buffer.from(text.slice(from, from + length));
          expect(half.receive(from, data, false, 0)).to.not.equal('violation');
          for (let at = from; at < from + data.length; at += 1) heard.add(at);
        }
        let end = 0;
        while (heard.has(end)) end += 1;
        expect(half.ack).to.equal(end);
        expect(readAll(half)).to.equal(text.slice(0, end));
        const runs = half
          .have(100)
          .flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
        expect(runs).to.deep.equal([...heard].filter((at) => at >= end).sort((a, b) => a - b));
      }),
    );
  });

  it('refuses bytes beyond the window that was offered', () => {
    const half = receiver(10);
    expect(half.receive(5, Buffer.alloc(5), false, 0)).to.equal('new');
    expect(half.receive(5, Buffer.alloc(6), false, 0)).to.equal('violation');
  });

  it('refuses an end that moves, and bytes behind the end', () => {
    const half = receiver();
    half.receive(0, Buffer.from('abc'), true, 0);
    expect(half.receive(0, Buffer.from('ab'), true, 0)).to.equal('violation');
    expect(half.receive(3, Buffer.from('d'), false, 0)).to.equal('violation');
    expect(half.receive(0, Buffer.from('abc'), true, 0)).to.equal('nothing new');
    expect(half.ack).to.equal(4);
  });

  it('acknowledges after a wait, and soon a repeat, a gap, and a window that has opened', () => {
    const half = receiver(100);
    half.acks.delayMs = 200;
    half.receive(0, Buffer.alloc(60), false, 1_000);
    half.receive(60, Buffer.alloc(1), false, 1_190);
    expect([half.ackDue(1_199), half.ackDue(1_200)]).to.deep.equal([false, true]);
    expect(half.acks.waitedMs(1_200)).to.equal(10);
    half.acknowledged();
    half.receive(0, Buffer.alloc(60), false, 2_000);
    expect([half.ackDue(2_000), half.ackDue(2_010)]).to.deep.equal([false, true]);
    half.acknowledged();
    half.receive(70, Buffer.alloc(5), false, 3_000);
    expect([half.ackDue(3_010), half.ackDue(3_030)]).to.deep.equal([false, true]);
    half.acknowledged();
    half.receive(80, Buffer.alloc(5), false, 4_000);
    expect(half.ackDue(4_100), 'the same gap').to.equal(false);
    half.acknowledged();
    half.take(5_000);
    expect(half.ackDue(5_010)).to.equal(true);
    expect(half.window).to.equal(160);
  });

  it('acknowledges at an eighth of the window first, at a quarter from then on', () => {
    const half = receiver(1_000);
    half.acks.delayMs = 10_000;
    let at = 0;
    const takenAt: number[] = [];
    for (; at < 900; at += 25) {
      half.receive(at, Buffer.alloc(25), false, at);
      half.take(at);
      if (!half.ackDue(at + 10)) continue;
      takenAt.push(at + 25);
      half.acknowledged();
      expect(half.window).to.equal(at + 25 + 1_000);
    }
    expect(takenAt).to.deep.equal([125, 375, 625, 875]);
  });

  it('drops what there is no memory for, but never what the application waits for', () => {
    const half = new ReceiveHalf(() => 100, 100, {
      take: (_, must) => must,
      give: () => undefined,
    });
    expect(half.receive(10, Buffer.alloc(5), false, 0)).to.equal('nothing new');
    expect(half.receive(0, Buffer.alloc(10), false, 0)).to.equal('new');
    expect(half.receive(10, Buffer.alloc(5), false, 0)).to.equal('nothing new');
    half.take(0);
    expect(half.receive(10, Buffer.alloc(5), false, 0)).to.equal('new');
  });
});

describe('protocol/send-half', () => {
  const open = (limit = 1_000_000): SendHalf => new SendHalf(new RoundTrip(), limit);
  const pull = (half: SendHalf, now = 0, maxBytes = 10_000) => half.pull(now, maxBytes, true);

  it('never sends beyond the window, and asks for more when it is closed', () => {
    const half = open(5);
    half.write(Buffer.from('0123456789'));
    expect(pull(half)?.data.toString()).to.equal('01234');
    expect(pull(half)).to.equal(undefined);
    expect(half.probe(0)).to.equal(false);
    half.acknowledge(5, [], 10);
    expect(half.probe(10)).to.equal(false);
    expect(half.probe(5_000)).to.equal(true);
    expect(half.pullProbe(5_000)).to.equal(5);
    half.offer(4);
    expect(pull(half)).to.equal(undefined);
    half.offer(8);
    expect(pull(half)?.data.toString()).to.equal('567');
  });

  it('sends again after the time-out, later each time, and at once what was refused', () => {
    const half = open();
    half.write(Buffer.from('abc'));
    const segment = pull(half)!;
    half.tick(900);
    expect(half.ready).to.equal(false);
    half.tick(1_000);
    expect(pull(half, 1_000)).to.equal(segment);
    half.lose([segment]);
    expect(pull(half, 1_001)).to.equal(segment);
    half.tick(2_500);
    expect(half.ready).to.equal(false);
    half.tick(3_100);
    expect(half.ready).to.equal(true);
  });

  it('repeats only what is missing', () => {
    const half = open();
    half.write(Buffer.alloc(6_000));
    const segments = [pull(half, 0, 2_000)!, pull(half, 0, 2_000)!, pull(half, 0, 2_000)!];
    half.acknowledge(0, [[2_000, 6_000]], 50);
    half.loseAll();
    expect(pull(half, 60)).to.equal(segments[0]);
    expect(pull(half, 60)).to.equal(undefined);
  });

  it('cuts a lost segment in two for a relay that takes less', () => {
    const half = open();
    half.write(Buffer.from('x'.repeat(5_000)));
    half.end();
    half.lose([pull(half)!]);
    const first = half.pull(1, 3_000, true)!;
    const second = half.pull(1, 3_000, true)!;
    expect([first.offset, first.end, first.fin]).to.deep.equal([0, 3_000, false]);
    expect([second.offset, second.end, second.fin]).to.deep.equal([3_000, 5_001, true]);
    half.acknowledge(5_001, [], 2);
    expect(half.finished).to.equal(true);
  });

  it('notices an acknowledgement of what was never sent', () => {
    const half = open();
    half.write(Buffer.from('abc'));
    pull(half);
    expect(half.acknowledge(4, [], 1)).to.equal(undefined);
  });

  it('sends one segment at a time to a peer that has gone silent', () => {
    const half = open();
    half.write(Buffer.alloc(20_000));
    for (let sent = 0; sent < 10; sent += 1) pull(half, 0, 2_000);
    let now = 0;
    const rounds: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      now += 5_000;
      half.tick(now);
      let count = 0;
      while (pull(half, now, 2_000) !== undefined) count += 1;
      rounds.push(count);
    }
    expect(rounds).to.deep.equal([1, 1, 1, 1, 1, 1]);
    // Once something arrives that left later, all that is missing goes out again.
    half.acknowledge(2_000, [], now + 10);
    half.tick(now + 5_000);
    let again = 0;
    while (pull(half, now + 5_000, 2_000) !== undefined) again += 1;
    expect(again).to.equal(9);
  });
});
