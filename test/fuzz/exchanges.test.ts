// Thousands of exchanges by a seed: whatever origin and client do, the client has exactly what the origin sent, or
// both see an error; nothing is left, and nothing is thrown.
//
//   NWS_SEED=7 NWS_FUZZ=100000 npx mocha test/fuzz/exchanges.test.ts   more of them
//   NWS_SEED=7 NWS_FUZZ_ONLY=123 …                                     one group again

import { until } from '../support/until.js';
import { Near, type Rig } from './near.js';
import { Origin } from './origin.js';
import type { Way } from './plan.js';
import { run } from './run.js';

const SEED = Number(process.env.NWS_SEED ?? 10);
const EXCHANGES = Number(process.env.NWS_FUZZ ?? 10_000);
const ONLY =
  process.env.NWS_FUZZ_ONLY === undefined ? undefined : Number(process.env.NWS_FUZZ_ONLY);
const WAYS = (process.env.NWS_FUZZ_WAYS?.split(',') ?? [
  'absolute',
  'absolute',
  'absolute-tls',
  'connect',
  'connect-tls',
  'clear',
]) as Way[];

describe(`exchanges by seed ${SEED}`, function () {
  this.timeout(600_000);

  let origin: Origin;
  let rig: Rig | undefined;
  afterEach(async () => {
    await rig?.cut();
    await origin.close();
  });

  it('are whole, or end in an error that both sides see', async () => {
    origin = await Origin.start();
    rig = await Near.start(origin);
    const ways = WAYS;
    await run(rig, origin, { seed: SEED, exchanges: EXCHANGES, ways, atOnce: 40, only: ONLY });
    await rig.quiet();
    await rig.close();
    rig = undefined;
    await until(() => origin.connections === 0);
  });
});
