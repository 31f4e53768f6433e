// How many events things cost, over a relay that loses nothing: events are what public relays ration.

import { expect } from 'chai';
import { DEFAULT_EVENT_BYTES } from '../../../src/limits.js';
import { plaintextCapacity } from '../../../src/protocol/wire/payload.js';
import type { StreamPlan } from '../../support/application.js';
import { type Scenario, Simulation } from '../../support/simulator/simulator.js';
import { run } from './seeds.js';

const MEGABYTE = 1_000_000;
/** A little, to be answered by a little. */
const ASKS = { upBytes: 200, downBytes: 150 };

function network(overrides: Partial<Scenario['network']> = {}): Scenario['network'] {
  const quiet = { loss: 0, repetition: 0, refusal: 0, jitterMs: 0, batchMs: 0, outages: [] };
  const eventBytes = plaintextCapacity(DEFAULT_EVENT_BYTES, 'nip44');
  return { ...quiet, delayMs: 20, eventBytes, ...overrides };
}

/** One that has everything at hand, and an exit that is known. */
function plan(overrides: Partial<StreamPlan>): StreamPlan {
  return { startMs: 0, upBytes: 0, downBytes: 0, readBytes: 1e9, readPauseMs: 1, ...overrides };
}

function scenario(streams: StreamPlan[], overrides: Partial<Scenario> = {}): Scenario {
  const windowBytes = 4 * 1024 * 1024;
  return { network: network(), streams, restarts: [], suggested: 2, windowBytes, ...overrides };
}

function eventsOf(given: Scenario): number {
  const { events, apps } = run(1, given);
  expect(apps.every(({ complete }) => complete)).to.equal(true);
  return events;
}

describe('events over a simulated network', () => {
  it('are two where all that is asked and answered is known at once', () => {
    expect(eventsOf(scenario([plan(ASKS)]))).to.equal(2);
  });

  it('are two more at the end of a stream that has idled, whoever ends it', () => {
    for (const first of ['entry', 'exit'] as const) {
      const simulation = new Simulation(1, scenario([plan({ ...ASKS, holdOpen: true })]));
      simulation.run(4_000);
      const { apps } = simulation;
      expect(apps.map(({ receivedBytes }) => receivedBytes).sort()).to.deep.equal([150, 200]);
      const before = simulation.events;
      const second = first === 'entry' ? 'exit' : 'entry';
      simulation.end(first);
      simulation.whenEnded(first, () => simulation.end(second));
      simulation.run(5_000);
      expect([simulation.leftOver, simulation.events - before]).to.deep.equal([0, 2]);
    }
  });

  for (const [megabytes, most] of [
    [1, 30],
    [10, 265],
  ] as const) {
    const bytes = megabytes * MEGABYTE;
    for (const [way, sizes] of [
      ['down', { upBytes: 200, downBytes: bytes }],
      ['up', { upBytes: bytes, downBytes: 200 }],
    ] as const) {
      it(`are at most ${most} for ${megabytes} MB ${way}`, () => {
        expect(eventsOf(scenario([plan(sizes)]))).to.be.within(bytes / 40_905, most);
      });
    }
  }

  it('are few more over a relay that brings what came within 100 ms in any order, and over a slow one', () => {
    const sizes = { upBytes: 200, downBytes: 10 * MEGABYTE };
    const batches = network({ delayMs: 30, jitterMs: 20, batchMs: 100 });
    expect(eventsOf(scenario([plan(sizes)], { network: batches }))).to.be.at.most(330);
    const slow = network({ delayMs: 400 });
    expect(eventsOf(scenario([plan(sizes)], { network: slow }))).to.be.at.most(280);
  });

  it('are not one for each that comes where many streams have small windows', () => {
    const streams = Array.from({ length: 64 }, () => plan({ upBytes: 10, downBytes: 200_000 }));
    const given = scenario(streams, { windowBytes: 64 * 1024, network: network({ jitterMs: 20 }) });
    const data = (64 * 200_000) / 40_905;
    expect(eventsOf(given)).to.be.below(2 * data);
  });

  it('are no more than those of the release before where one side is of it', () => {
    const streams = [plan({ upBytes: 200, downBytes: MEGABYTE })];
    for (const versions of [
      { entry: 1, exit: 2 },
      { entry: 2, exit: 1 },
    ]) {
      expect(eventsOf(scenario(streams, { versions }))).to.be.at.most(60);
    }
  });
});
