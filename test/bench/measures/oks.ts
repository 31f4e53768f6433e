// What it costs where a relay confirms nothing, or leaves OKs out: 20 MB each way, beside the same relay with all of them.

import type { Row } from '../report/table.js';
import { type RelayKind, World } from '../world.js';
import { download, upload } from './transfer.js';

const ALL = 'plain';
const KINDS: Readonly<Record<string, RelayKind>> = {
  [ALL]: 'plain',
  'no OK': '{"silent":"ephemerals"}',
  'every tenth OK missing': '{"missEveryOk":10}',
};

export async function measureOks(rounds: number, bytes: number): Promise<Row[]> {
  const worlds = new Map<string, World>();
  const speeds = new Map<string, number[]>();
  try {
    for (const [name, relay] of Object.entries(KINDS))
      worlds.set(name, await World.start({ relay }));
    for (const world of worlds.values()) await download(world, bytes / 10);
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, world] of worlds) {
        for (const [what, transfer] of Object.entries({ download, upload })) {
          const { megabytesPerSecond } = await transfer(world, bytes);
          const key = `${name}/${what}`;
          speeds.set(key, [...(speeds.get(key) ?? []), megabytesPerSecond]);
        }
      }
    }
  } finally {
    await Promise.all([...worlds.values()].map((world) => world.close()));
  }
  return [...speeds].map(([key, values]) => {
    const [relay, what] = key.split('/') as [string, string];
    const base = speeds.get(`${ALL}/${what}`)!;
    const whole = values.map((speed, round) => speed / base[round]!);
    const compared = relay !== ALL && { ratios: { 'with all OKs': whole } };
    return { relay, what, unit: 'MB/s', values, ...compared };
  });
}
