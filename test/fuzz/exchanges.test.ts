// Thousands of exchanges by a seed: whatever origin and client do, the client has exactly what the origin sent, or
// both see an error; nothing is left, and nothing is thrown.
//
//   NWS_SEED=7 NWS_FUZZ=100000 npx mocha test/fuzz/exchanges.test.ts   more of them
//   NWS_SEED=7 NWS_FUZZ_ONLY=123 …                                     one group again

import { until } from '../support/until.js';
import { Far } from './far.js';
import { Near, type Rig } from './near.js';
import { Origin } from './origin.js';
import type { Way } from './plan.js';
import { run } from './run.js';

const SEED = Number(process.env.NWS_SEED ?? 10);
const EXCHANGES = Number(process.env.NWS_FUZZ ?? 10_000);
const ONLY = process.env.NWS_FUZZ_ONLY;
/** Of all exchanges, those that take the whole path over a relay. */
const FAR_PART = 0.1;
const NEAR: readonly Way[] = [
  ...(['absolute', 'absolute', 'connect', 'connect', 'clear'] as const),
  ...(['absolute-tls', 'connect-tls', 'h2'] as const),
];
const FAR: readonly Way[] = [
  'absolute',
  'absolute',
  'absolute-tls',
  'connect',
  'connect-tls',
  'h2',
];

describe(`exchanges by seed ${SEED}`, function () {
  this.timeout(Math.max(120_000, EXCHANGES * 60));
  let origin: Origin;
  let rig: Rig | undefined;
  beforeEach(async () => {
    origin = await Origin.start();
  });
  afterEach(async () => {
    await rig?.cut();
    rig = undefined;
    await origin.close();
  });

  async function runs(
    title: string,
    started: Rig,
    ways: readonly Way[],
    exchanges: number,
  ): Promise<void> {
    rig = started;
    const only = ONLY === undefined ? undefined : Number(ONLY);
    await run(rig, origin, { seed: SEED, title, exchanges, ways: chosen(ways), atOnce: 40, only });
    await rig.quiet();
    await rig.close();
    rig = undefined;
    await until(() => origin.connections === 0);
  }

  it('are whole, or end in an error that both sides see', async () => {
    await runs('are whole', await Near.start(origin), NEAR, Math.ceil(EXCHANGES * (1 - FAR_PART)));
  });

  it('are so over a relay, too', async () => {
    await runs('over a relay', await Far.start(origin), FAR, Math.floor(EXCHANGES * FAR_PART));
  });
});

/** Ways can be left out by NWS_FUZZ_WAYS. */
function chosen(ways: readonly Way[]): readonly Way[] {
  const wanted = process.env.NWS_FUZZ_WAYS?.split(',');
  return wanted === undefined ? ways : ways.filter((way) => wanted.includes(way));
}
