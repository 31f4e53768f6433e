// The state machines of both ends over a simulated network: whatever the seed thinks of, every byte arrives
// in order and once, or the stream ends with an error; bounds hold, and nothing is left behind.

import { expect } from 'chai';
import { random } from '../support/random.js';
import {
  type NetworkOptions,
  Simulation,
  type Transfer,
  WINDOW_BYTES,
} from '../support/simulator.js';

/** Seeds of one run; more on request. */
const SEEDS = Number(process.env.NWS_SEEDS ?? 400);

function scenario(seed: number): { network: NetworkOptions; transfer: Transfer } {
  const pick = random(seed ^ 0x5eed);
  const outageAt = pick.integer(4_000);
  return {
    network: {
      loss: pick.chance(0.3) ? 0 : pick.next() * 0.3,
      repetition: pick.chance(0.3) ? 0 : pick.next() * 0.3,
      refusal: pick.chance(0.7) ? 0 : pick.next() * 0.2,
      delayMs: pick.chance(0.2) ? 1_000 + pick.integer(1_000) : 1 + pick.integer(200),
      // Jitter of many times the pause between events: displacements by hundreds of places.
      jitterMs: pick.chance(0.3) ? 0 : pick.integer(800),
      outages: pick.chance(0.2) ? [{ fromMs: outageAt, toMs: outageAt + pick.integer(4_000) }] : [],
      eventBytes: [2_000, 8_000, 40_960][pick.integer(3)]!,
    },
    transfer: {
      upBytes: pick.chance(0.3) ? pick.integer(100) : pick.integer(300_000),
      downBytes: pick.chance(0.3) ? pick.integer(100) : pick.integer(300_000),
      readBytes: pick.chance(0.2) ? 20_000 : 1_000_000,
      readPauseMs: pick.chance(0.2) ? 200 : 20,
    },
  };
}

describe('reliable streams over a simulated network', function () {
  this.timeout(120_000);

  it(`carry every byte in order and end, for ${SEEDS} seeds`, () => {
    const first = Number(process.env.NWS_SEED ?? 1);
    let neverOpened = 0;
    for (let seed = first; seed < first + SEEDS; seed += 1) {
      const { network, transfer } = scenario(seed);
      const outcome = new Simulation(seed, network).transfer(transfer, 3_600_000);
      const told = `seed ${seed}: ${JSON.stringify({ network, transfer, outcome })}`;
      expect([outcome.leftOver, outcome.heldBytes], told).to.deep.equal([0, 0]);
      expect(outcome.largestBuffer, told).to.be.at.most(2 * (WINDOW_BYTES + 65_536));
      if (outcome.errors[0] === 'no answer from the exit') {
        // Every CONNECT of the first seconds was lost: a clear error is right, where the network is that bad.
        expect(network.loss > 0.1 || network.outages.length > 0, told).to.equal(true);
        neverOpened += 1;
        continue;
      }
      expect(outcome.errors, told).to.deep.equal([]);
      expect([outcome.rightUp, outcome.rightDown], told).to.deep.equal([true, true]);
    }
    expect(neverOpened).to.be.below(SEEDS / 20);
  });

  it('ends both sides soon when nothing comes through any more', () => {
    const network = {
      ...scenario(1).network,
      loss: 0,
      outages: [{ fromMs: 300, toMs: 1e9 }],
      delayMs: 50,
    };
    const transfer = { upBytes: 0, downBytes: 5_000_000, readBytes: 10_000, readPauseMs: 50 };
    const outcome = new Simulation(7, network).transfer(transfer, 3_600_000);
    expect(outcome.leftOver).to.equal(0);
    expect(outcome.errors).to.have.length(2);
    expect(outcome.elapsedMs).to.be.below(180_000);
  });

  it('replays a seed exactly', () => {
    const run = () => {
      const { network, transfer } = scenario(12);
      return new Simulation(12, network).transfer(transfer, 3_600_000);
    };
    expect(run()).to.deep.equal(run());
  });
});
