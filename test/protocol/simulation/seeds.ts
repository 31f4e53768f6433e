// The state machines of both ends over a simulated network: whatever the seed thinks of, every byte arrives in
// its place, or the stream ends with an error on both sides; bounds hold, and nothing is left behind.
// NWS_SEEDS sets how many seeds are run, NWS_SEED where to begin: a failure names the seed to replay. Two files share
// the seeds, so that they run side by side.

import { expect } from 'chai';
import { isMild, scenarioOf } from '../../support/simulator/scenario.js';
import { type Scenario, Simulation, WINDOW_BYTES } from '../../support/simulator/simulator.js';

const SEEDS = Number(process.env.NWS_SEEDS ?? 10_000);
const FIRST_SEED = Number(process.env.NWS_SEED ?? 1);
const SHARDS = 2;
export const DAY_MS = 86_400_000;

/** Runs a scenario to its end, and holds what has to hold for every one of them. */
export function run(seed: number, scenario: Scenario): Simulation {
  const simulation = new Simulation(seed, scenario);
  simulation.run(DAY_MS);
  expect(simulation.leftOver, 'streams left').to.equal(0);
  expect(simulation.heldBytes, 'memory not given back').to.equal(0);
  expect(simulation.isAtRest, 'something would still happen').to.equal(true);
  expect(simulation.largestBytes).to.be.at.most(scenario.network.eventBytes);
  const { windowBytes = 0 } = scenario;
  expect(simulation.largestHeldBytes).to.be.at.most(4 * Math.max(WINDOW_BYTES, windowBytes));
  for (const app of simulation.apps) {
    expect(app.complete || app.stream.error !== undefined, 'neither whole nor an error').to.equal(
      true,
    );
  }
  return simulation;
}

/** @param shard 0: even seeds, 1: odd ones */
export function describeSeeds(shard: 0 | 1): void {
  describe(`reliable streams over a simulated network, ${shard === 0 ? 'even' : 'odd'} seeds`, function () {
    this.timeout(600_000);

    it(`carry every byte in order and end, for ${SEEDS} seeds from ${FIRST_SEED} on`, () => {
      let streams = 0;
      let broken = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
        if (seed % SHARDS !== shard) continue;
        const scenario = scenarioOf(seed);
        try {
          const { apps } = run(seed, scenario);
          const failed = apps.filter((app) => !app.complete);
          if (isMild(scenario))
            expect(failed.map(({ stream }) => stream.error?.message)).to.deep.equal([]);
          streams += apps.length;
          broken += failed.length;
        } catch (error) {
          throw new Error(
            `NWS_SEED=${seed} NWS_SEEDS=1 replays this: ${JSON.stringify(scenario)}`,
            {
              cause: error,
            },
          );
        }
      }
      if (SEEDS < 100) return;
      // Restarts, clients that leave and hopeless networks break some; were it more, something would be wrong.
      expect(broken).to.be.at.most(streams / 4);
    });
  });
}
