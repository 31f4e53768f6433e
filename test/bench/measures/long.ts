// A transfer ten times as long as usual: whether it takes ten times as long, and no more memory.

import type { Row } from '../report/table.js';
import { type RelayKind, World } from '../world.js';
import { download, upload } from './transfer.js';

const FACTOR = 10;
const MEGABYTE = 1_000_000;
const WAYS = { download, upload };

export async function measureLong(relay: RelayKind, rounds: number, bytes: number): Promise<Row[]> {
  const rows = new Map<string, { unit: string; short: number[]; long: number[] }>();
  const note = (what: string, unit: string, short: number, long: number): void => {
    const row = rows.get(what) ?? { unit, short: [], long: [] };
    row.short.push(short);
    row.long.push(long);
    rows.set(what, row);
  };
  for (let round = 0; round < rounds; round += 1) {
    const world = await World.start({ relay });
    try {
      await download(world, bytes / FACTOR); // makes code and connections warm
      const short = await both(world, bytes);
      const long = await both(world, bytes * FACTOR);
      for (const way of Object.keys(WAYS)) {
        note(way, 'MB/s', short.speeds[way]!, long.speeds[way]!);
      }
      for (const [part, peak] of Object.entries(long.peaks)) {
        note(`peak memory, ${part}`, 'MB', short.peaks[part]!, peak);
      }
    } finally {
      await world.close();
    }
  }
  return [...rows].map(([what, { unit, short, long }]) => ({
    relay,
    what: `${FACTOR} times as long: ${what}`,
    unit,
    values: long,
    ratios: { short: long.map((value, round) => value / short[round]!) },
  }));
}

/** Up to now, and in so many bytes each way. */
interface Measured {
  readonly speeds: Readonly<Record<string, number>>;
  /** Resident, in MB, by process. */
  readonly peaks: Readonly<Record<string, number>>;
}

async function both(world: World, bytes: number): Promise<Measured> {
  const speeds: Record<string, number> = {};
  for (const [way, transfer] of Object.entries(WAYS)) {
    speeds[way] = (await transfer(world, bytes)).megabytesPerSecond;
  }
  const peaks: Record<string, number> = {};
  for (const part of ['proxy', 'exit'] as const) {
    peaks[part] = (await world[part].usage()).peakBytes / MEGABYTE;
  }
  return { speeds, peaks };
}
