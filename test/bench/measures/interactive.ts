// What is small beside what is large: many clients that ask for little, alone and beside one bulk download, which is
// measured alone and beside them, too.

import { setTimeout as sleep } from 'node:timers/promises';
import { Part } from '../parts/part.js';
import { spreadOf } from '../report/statistics.js';
import type { Row } from '../report/table.js';
import { type RelayKind, World } from '../world.js';
import { download } from './transfer.js';

const CLIENTS = 50;

export interface InteractiveOptions {
  readonly rounds: number;
  /** Of the bulk download. */
  readonly bytes: number;
  /** How long the small ones are watched alone. */
  readonly aloneMs: number;
}

export async function measureInteractive(
  relay: RelayKind,
  { rounds, bytes, aloneMs }: InteractiveOptions,
): Promise<Row[]> {
  const world = await World.start({ relay });
  const { listen, ca } = world.proxy.ready;
  const argv = [listen!, ca!, world.url('/1'), String(CLIENTS)];
  const clients = await Part.script('interactive', argv);
  const beside = async (work: () => Promise<unknown>): Promise<number> => {
    await clients.ask<{ started: boolean }>('start', 'started');
    await work();
    const { latencies } = await clients.ask<{ latencies: number[] }>('stop', 'latencies');
    return spreadOf(latencies).median;
  };
  const [alone, loaded, bulkAlone, bulk]: number[][] = [[], [], [], []];
  try {
    await beside(() => sleep(aloneMs)); // opens all connections
    await download(world, bytes / 10);
    for (let round = 0; round < rounds; round += 1) {
      alone!.push(await beside(() => sleep(aloneMs)));
      bulkAlone!.push((await download(world, bytes)).megabytesPerSecond);
      loaded!.push(
        await beside(async () => bulk!.push((await download(world, bytes)).megabytesPerSecond)),
      );
    }
  } finally {
    await clients.end();
    await world.close();
  }
  const row = (what: string, unit: string, values: number[], to?: number[]): Row => ({
    relay,
    what,
    unit,
    values,
    ...(to && { ratios: { alone: values.map((value, round) => value / to[round]!) } }),
  });
  return [
    row(`${CLIENTS} interactive, alone`, 'ms', alone!),
    row(`${CLIENTS} interactive beside a download`, 'ms', loaded!, alone),
    row('download, alone', 'MB/s', bulkAlone!),
    row(`download beside ${CLIENTS} interactive`, 'MB/s', bulk!, bulkAlone),
  ];
}
