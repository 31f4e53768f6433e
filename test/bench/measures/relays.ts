// One download over one relay that passes so much and no more, and over two of them, in the same rounds.

import type { RelayBehaviour } from '../../../src/relay/embedded/behaviour.js';
import type { Row } from '../report/table.js';
import { type RelayKind, World } from '../world.js';
import { download, type Transferred } from './transfer.js';

const MEGABYTE = 1_000_000;
const PASSES: Partial<RelayBehaviour> = { bytesPerSecond: 4 * MEGABYTE };

export async function measureRelays(rounds: number, bytes: number): Promise<Row[]> {
  const relay = JSON.stringify(PASSES) as RelayKind;
  const [one, two] = [await World.start({ relay }), await World.start({ relay, relays: 2 })];
  const [overOne, overTwo]: [Transferred[], Transferred[]] = [[], []];
  try {
    for (const world of [one, two]) await download(world, bytes / 20);
    for (let round = 0; round < rounds; round += 1) {
      overOne.push(await download(one, bytes));
      overTwo.push(await download(two, bytes));
    }
  } finally {
    await one.close();
    await two.close();
  }
  const speeds = (runs: Transferred[]): number[] => runs.map((run) => run.megabytesPerSecond);
  const ratios = {
    one: speeds(overTwo).map((speed, round) => speed / speeds(overOne)[round]!),
  };
  const row = (what: string, runs: Transferred[]) => ({
    ...{ relay: '4 MB/s', what, unit: 'MB/s', values: speeds(runs) },
    events: runs.map(({ events }) => events!),
  });
  return [row('download over one', overOne), { ...row('download over two', overTwo), ratios }];
}
