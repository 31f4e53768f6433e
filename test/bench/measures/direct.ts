// A direct path beside CONNECTR, in the same rounds: the same streams, by UDP instead of TCP.

import type { Row } from '../report/table.js';
import { World } from '../world.js';
import { download } from './transfer.js';

export async function measureDirect(rounds: number, bytes: number): Promise<Row[]> {
  const worlds = {
    CONNECTR: await World.start({ relay: 'plain', reverse: true }),
    'direct path': await World.start({ relay: 'plain', direct: true }),
  };
  const all = Object.entries(worlds).map(([name, world]) => ({
    name,
    world,
    speeds: [] as number[],
    cpuSeconds: {} as Record<string, number[]>,
  }));
  try {
    for (const { world } of all) {
      await world.findsWay();
      await download(world, bytes / 10);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { world, speeds, cpuSeconds } of all) {
        const got = await download(world, bytes);
        speeds.push(got.megabytesPerSecond);
        for (const [part, cpu] of Object.entries(got.cpuSeconds))
          (cpuSeconds[part] ??= []).push(cpu);
      }
    }
  } finally {
    for (const { world } of all) await world.close();
  }
  const [connectr] = all;
  return all.map(({ name, speeds, cpuSeconds }) => ({
    relay: 'past it',
    what: `${name}, download beside the other`,
    unit: 'MB/s',
    values: speeds,
    ...(name !== 'CONNECTR' && {
      ratios: speeds.map((speed, round) => speed / connectr!.speeds[round]!),
      ratioTo: 'CONNECTR',
    }),
    cpuSeconds,
  }));
}
