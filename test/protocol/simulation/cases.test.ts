// The state machines of both ends over a simulated network: single cases. What any seed thinks of is in seeds.ts.

import { expect } from 'chai';
import type { StreamPlan } from '../../support/application.js';
import { scenarioOf } from '../../support/simulator/scenario.js';
import { type Scenario, Simulation } from '../../support/simulator/simulator.js';
import { DAY_MS, run } from './seeds.js';

const calm: Scenario['network'] = {
  loss: 0,
  repetition: 0,
  refusal: 0,
  delayMs: 50,
  jitterMs: 10,
  batchMs: 0,
  outages: [],
  eventBytes: 40_960,
};

function plan(overrides: Partial<StreamPlan> = {}): StreamPlan {
  return { startMs: 0, upBytes: 0, downBytes: 0, readBytes: 1e6, readPauseMs: 30, ...overrides };
}

describe('reliable streams over a simulated network', () => {
  it('end both sides soon when nothing comes through any more', () => {
    const scenario = {
      network: { ...calm, outages: [{ fromMs: 300, toMs: DAY_MS }] },
      streams: [plan({ downBytes: 1_000_000 })],
      restarts: [],
    };
    const simulation = new Simulation(7, scenario);
    simulation.run(80_000);
    expect(simulation.leftOver).to.equal(0);
    const { apps } = simulation;
    for (const { stream } of apps) {
      expect(stream.error?.code).to.be.oneOf(['connection_timeout', 'connection_terminated']);
    }
  });

  for (const who of ['exit', 'entry'] as const) {
    it(`end the streams of an ${who} that was killed soon after it is back, idle ones as well`, () => {
      const readers = [plan({ downBytes: 1e7 }), plan({ upBytes: 1e7 }), plan({ holdOpen: true })];
      const scenario = { network: calm, streams: readers, restarts: [{ who, atMs: 1_000 }] };
      const simulation = new Simulation(3, scenario);
      simulation.run(8_000);
      expect(simulation.leftOver).to.equal(0);
      const survivors = simulation.apps.filter(({ role }) => role !== who);
      for (const { stream } of survivors)
        expect(stream.error?.code).to.equal('connection_terminated');
    });
  }

  for (const who of ['exit', 'entry'] as const) {
    it(`end six hundred idle streams of an ${who} that was killed, although one question asks after a part of them`, () => {
      const idle = plan({ upBytes: 10, downBytes: 10, holdOpen: true, readPauseMs: 600_000 });
      const scenario = {
        network: calm,
        streams: Array.from({ length: 600 }, () => idle),
        restarts: [{ who, atMs: 1_000 }],
      };
      const simulation = new Simulation(4, scenario);
      simulation.run(250);
      expect(simulation.leftOver).to.equal(1_200);
      simulation.run(20_000);
      expect(simulation.leftOver).to.equal(0);
    });
  }

  it('cost two events a minute while a hundred of them idle for ten hours', () => {
    const idle = plan({ upBytes: 10, downBytes: 10, holdOpen: true, readPauseMs: 600_000 });
    const scenario = {
      network: calm,
      streams: Array.from({ length: 100 }, () => idle),
      restarts: [],
    };
    const simulation = new Simulation(5, scenario);
    simulation.run(60_000);
    const before = simulation.events;
    simulation.run(60_000 + 10 * 3_600_000);
    expect(simulation.leftOver).to.equal(200);
    // One question and its answer for the pair of keys, not for each stream.
    expect(simulation.events - before).to.be.within(1, 2 * 600 + 10);
  });

  const versions = (entry: number, exit: number) => ({ versions: { entry, exit } });
  const both = [plan({ upBytes: 200_000, downBytes: 200_000 })];

  it('go as frames from the first event on where the exit is known to read them, else from its answer on', () => {
    const scenario = { network: calm, streams: both, restarts: [] };
    const known = run(1, { ...scenario, suggested: 2 });
    expect(known.frames).to.equal(known.events);
    const unknown = run(1, scenario);
    expect(unknown.frames).to.equal(unknown.events - 1);
    for (const { apps } of [known, unknown])
      expect(apps.map(({ complete }) => complete)).to.deep.equal([true, true]);
  });

  for (const [who, pair] of [
    ['exit', versions(2, 1)],
    ['entry', versions(1, 2)],
  ] as const) {
    it(`go as JSON where the ${who} is of the release before, also where an old event says otherwise`, () => {
      for (const suggested of [undefined, 1, 2]) {
        const scenario = { network: calm, streams: both, restarts: [], suggested, ...pair };
        const { apps, frames } = run(1, scenario);
        expect(apps.map(({ complete }) => complete)).to.deep.equal([true, true]);
        expect(frames).to.equal(0);
      }
    });
  }

  it('end where the exit was restarted while it was asked, and lacks what the one before it had', () => {
    expect(run(9_681, scenarioOf(9_681)).leftOver).to.equal(0);
  });

  it('replay a seed exactly', () => {
    const facts = () => {
      const { apps, events, clock } = run(12, scenarioOf(12));
      return {
        received: apps.map(({ receivedBytes }) => receivedBytes),
        events,
        endedAt: clock.now,
      };
    };
    expect(facts()).to.deep.equal(facts());
  });
});
