// Bulk over several relays, beside what is small, and over relays that ration: real publishers and state machines under a
// simulated clock, so that figures are the same on every machine.

import { expect } from 'chai';
import type { RelayTraits } from '../../support/simulator/simulated-relays.js';
import { Traffic, type TrafficOptions } from '../../support/simulator/traffic.js';

const MB = 1_000_000;
const four: RelayTraits = { delayMs: 5, bytesPerSecond: 4 * MB };
const strfry: RelayTraits = { delayMs: 1, batchMs: 100, bytesPerSecond: 10 * MB };

function traffic(relays: readonly RelayTraits[], options: Partial<TrafficOptions> = {}): Traffic {
  return new Traffic({ relays, bulkBytes: 0, clients: 0, thinkMs: 100, eventMs: 1.2, ...options });
}

/** A download as a whole. @returns how long it took, in s */
function download(relays: readonly RelayTraits[], bulkBytes: number): [number, Traffic] {
  const world = traffic(relays, { bulkBytes });
  world.run(300_000);
  expect(world.receivedBytes).to.equal(bulkBytes);
  return [world.doneAt! / 1_000, world];
}

function takenMegabytes({ relays }: Traffic): number[] {
  return relays.map(({ takenBytes }) => (takenBytes.get('exit') ?? 0) / MB);
}

describe('bulk over several relays', () => {
  it('goes nearly twice as fast over two of the same', () => {
    const [one] = download([four], 40 * MB);
    const [two, world] = download([four, four], 40 * MB);
    expect(one / two).to.be.above(1.8);
    expect(world.repeatedBytes).to.equal(0);
    for (const megabytes of takenMegabytes(world)) expect(megabytes).to.be.above(20);
  });

  it('goes nearly twice as fast where one is further away, and repeats nothing for being overtaken', () => {
    const [one] = download([four], 40 * MB);
    const [two, world] = download([four, { ...four, delayMs: 80 }], 40 * MB);
    expect(one / two).to.be.above(1.7);
    expect(world.repeatedBytes).to.equal(0);
  });

  it('loses nothing where one dies in mid-transfer, be it the first or another', () => {
    const dying = { ...four, diesAtMs: 4_000 };
    for (const relays of [
      [dying, four],
      [four, dying],
    ]) {
      const [, world] = download(relays, 40 * MB);
      // What was on its way there, and no more.
      expect(world.repeatedBytes).to.be.below(2 * MB);
    }
  });

  it('goes on where one takes everything from then on and delivers nothing, be it the first or another', () => {
    const deaf = { ...four, deafFromMs: 4_000 };
    const [one] = download([four], 40 * MB);
    for (const relays of [
      [deaf, four],
      [four, deaf],
    ]) {
      const [seconds, world] = download(relays, 40 * MB);
      expect(seconds).to.be.below(one + 5);
      expect(world.repeatedBytes).to.be.below(3 * MB);
    }
  });

  it('sends nothing but questions, and few of them, where the peer does not listen', () => {
    const [, world] = download([four, { ...four, isUnheardByEntry: true }], 40 * MB);
    expect(world.relays[1]!.events).to.be.within(1, 5);
    expect(takenMegabytes(world)[1]).to.be.below(0.01);
  });

  it('stays on one relay for what fits there at once', () => {
    const [, world] = download([four, four], MB / 2);
    expect(world.relays[1]!.events).to.equal(0);
  });

  it('leaves what is small on the first', () => {
    const world = traffic([four, four], { bulkBytes: 1_000 * MB, clients: 20 });
    world.run(10_000);
    // Nothing but full events goes over the other.
    const { events } = world.relays[1]!;
    expect((takenMegabytes(world)[1]! * MB) / events).to.be.above(45_000);
    expect(events).to.be.above(100);
  });
});

describe('what is small beside bulk', () => {
  for (const [name, relay, most, least] of [
    ['a relay like strfry', { ...strfry, bytesPerSecond: 100 * MB }, 1.25, 0.8],
    ['one that takes 10 MB/s', strfry, 1.4, 0.7],
  ] as const) {
    it(`waits at most ${most} times as long over ${name}, which stays busy`, () => {
      const eventMs = relay === strfry ? 1.2 : 0.6;
      const measured = (options: Partial<TrafficOptions>): [medianMs: number, bytes: number] => {
        const world = traffic([relay], { eventMs, ...options });
        world.run(5_000);
        world.takeMedianMs();
        const before = world.receivedBytes;
        world.run(25_000);
        return [world.takeMedianMs(), world.receivedBytes - before];
      };
      const [alone] = measured({ clients: 50 });
      const [, bulkAlone] = measured({ bulkBytes: 1e10 });
      const [beside, bulkBeside] = measured({ clients: 50, bulkBytes: 1e10 });
      expect(beside / alone).to.be.below(most);
      expect(bulkBeside / bulkAlone).to.be.above(least);
    });
  }

  it('does not starve what is large where an event is rare', () => {
    const world = traffic([{ delayMs: 10, eventsPerSecond: 5 }], { bulkBytes: 1e10, clients: 20 });
    world.run(40_000);
    // Five events of 40 KB a second would be 8 MB.
    expect(world.receivedBytes).to.be.above(5 * MB);
    expect(world.takeMedianMs()).to.be.below(600);
  });
});

describe('bulk over a relay that rations', () => {
  it('goes at its pace in full events, and is seldom refused', () => {
    const [seconds, world] = download([{ delayMs: 10, eventsPerSecond: 20 }], 20 * MB);
    // 20 events of 40 KB a second, and what the first second allows beyond that.
    expect(seconds).to.be.below((20 * MB) / (20 * 40_000) + 5);
    const [relay] = world.relays;
    expect(relay!.refused).to.be.below(40);
    expect(takenMegabytes(world)[0]).to.be.below(1.1 * 1.4 * 20);
  });

  it('goes over another one as well', () => {
    const ration = { delayMs: 10, eventsPerSecond: 50 };
    const [one] = download([ration], 40 * MB);
    const [two] = download([ration, ration], 40 * MB);
    expect(one / two).to.be.above(1.7);
  });
});
