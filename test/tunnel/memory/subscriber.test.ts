// What piles up at a relay for one subscriber, all streams of all peers together: far less than that for which strfry
// cuts a subscriber off, also while that one stands still.

import { expect } from 'chai';
import { pileUp } from '../../support/simulator/subscriber.js';

const MB = 1_000_000;
/** Of strfry: `maxPendingOutboundBytes`. */
const CUT_OFF_BYTES = 32 * 1024 * 1024;

/** Long and wide, so that as much as may be is on its way when the subscriber stands still for ten seconds. */
const wide = {
  delayMs: 250,
  intakePerSecond: 100 * MB,
  drainPerSecond: 100 * MB,
  standstill: { fromMs: 10_000, toMs: 20_000 },
  untilMs: 22_000,
};

describe('a relay with one subscriber', function () {
  this.timeout(60_000);

  const cases = {
    'one peer with one stream': { ...wide, senders: 1, streams: 1 },
    'one peer with 32 streams': { ...wide, senders: 1, streams: 32 },
    'twenty peers at once': { ...wide, senders: 20, streams: 1 },
    'eight peers that begin together, to a subscriber ten times slower than the relay': {
      senders: 8,
      streams: 1,
      delayMs: 20,
      intakePerSecond: 25 * MB,
      drainPerSecond: 2.5 * MB,
      untilMs: 20_000,
    },
  };
  for (const [name, scenario] of Object.entries(cases)) {
    it(`keeps less than three quarters of what strfry allows: ${name}`, () => {
      const { mostBytes, arrivedBytes } = pileUp(scenario);
      expect(mostBytes).to.be.within(MB, (3 / 4) * CUT_OFF_BYTES);
      expect(arrivedBytes).to.be.above(5 * MB);
    });
  }
});
