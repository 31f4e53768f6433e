// The state machines of both ends over a simulated network: whatever the seed thinks of, every byte arrives in
// its place, or the stream ends with an error on both sides; bounds hold, and nothing is left behind.
// NWS_SEEDS sets how many seeds are run, NWS_SEED where to begin: a failure names the seed to replay.

import { expect } from 'chai';
import type { StreamPlan } from '../support/application.js';
import { isMild, scenarioOf } from '../support/simulator/scenario.js';
import { type Scenario, Simulation, WINDOW_BYTES } from '../support/simulator/simulator.js';

const SEEDS = Number(process.env.NWS_SEEDS ?? 10_000);
const FIRST_SEED = Number(process.env.NWS_SEED ?? 1);
const DAY_MS = 86_400_000;

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

/** Runs a scenario to its end, and holds what has to hold for every one of them. */
function run(seed: number, scenario: Scenario): Simulation {
  const simulation = new Simulation(seed, scenario);
  simulation.run(DAY_MS);
  expect(simulation.leftOver, 'streams left').to.equal(0);
  expect(simulation.heldBytes, 'memory not given back').to.equal(0);
  expect(simulation.isAtRest, 'something would still happen').to.equal(true);
  expect(simulation.largestHeldBytes).to.be.at.most(4 * WINDOW_BYTES);
  for (const app of simulation.apps) {
    expect(app.complete || app.stream.error !== undefined, 'neither whole nor an error').to.equal(
      true,
    );
  }
  return simulation;
}

describe('reliable streams over a simulated network', function () {
  this.timeout(600_000);

  it(`carry every byte in order and end, for ${SEEDS} seeds`, () => {
    let streams = 0;
    let broken = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const scenario = scenarioOf(seed);
      try {
        const { apps } = run(seed, scenario);
        const failed = apps.filter((app) => !app.complete);
        if (isMild(scenario))
          expect(failed.map(({ stream }) => stream.error?.message)).to.deep.equal([]);
        streams += apps.length;
        broken += failed.length;
      } catch (error) {
        throw new Error(`NWS_SEED=${seed} NWS_SEEDS=1 replays this: ${JSON.stringify(scenario)}`, {
          cause: error,
        });
      }
    }
    // Restarts, clients that leave and hopeless networks break some; were it more, something would be wrong.
    expect(broken).to.be.below(streams / 4);
  });

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
