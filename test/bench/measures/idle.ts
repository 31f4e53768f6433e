// Streams that idle by the thousand: what each costs either side in memory, with its sockets, and whether the last ones
// open as quickly as the first.

import { Part, type Usage } from '../parts/part.js';
import type { Row } from '../report/table.js';
import { World } from '../world.js';

/** Parts of which the first and the last are compared, after one that makes everything warm. */
const PARTS = 10;

export async function measureIdle(rounds: number, streams: number): Promise<Row[]> {
  const [first, last, events]: number[][] = [[], [], []];
  const kilobytes: Record<'proxy' | 'exit', number[]> = { proxy: [], exit: [] };
  for (let round = 0; round < rounds; round += 1) {
    const world = await World.start({ relay: 'plain', target: 'echo' });
    const crowd = await Part.script('crowd', [world.proxy.ready.listen!, world.exit.ready.domain!]);
    const open = async (count: number): Promise<number> => {
      const { openedMs } = await crowd.ask<{ openedMs: number }>(`open ${count}`, 'openedMs');
      return openedMs / count;
    };
    try {
      const part = Math.ceil(streams / PARTS);
      await open(part);
      const before = await memory(world);
      const times: number[] = [];
      for (let opened = part; opened < streams; opened += part) times.push(await open(part));
      first!.push(times[0]!);
      last!.push(times.at(-1)!);
      const after = await memory(world);
      for (const side of ['proxy', 'exit'] as const) {
        const grown = after[side].residentBytes - before[side].residentBytes;
        kilobytes[side].push(grown / 1_000 / (streams - part));
      }
      events!.push(await world.events());
    } finally {
      await crowd.end();
      await world.close();
    }
  }
  const row = (what: string, unit: string, values: number[], to?: number[]): Row => ({
    relay: 'plain',
    what: `${streams} idle streams: ${what}`,
    unit,
    values,
    ...(to && { ratios: { first: values.map((value, round) => value / to[round]!) } }),
  });
  return [
    row('opening one of the first', 'ms', first!),
    row('opening one of the last', 'ms', last!, first),
    row('memory of the proxy for each', 'KB', kilobytes.proxy),
    row('memory of the exit for each', 'KB', kilobytes.exit),
    row('in all', 'events', events!),
  ];
}

async function memory({ proxy, exit }: World): Promise<Record<'proxy' | 'exit', Usage>> {
  return { proxy: await proxy.memory(), exit: await exit.memory() };
}
