// Where the time of a transfer goes, in each process: beside a figure that falls short, what it is made of.

import type { Profiler } from 'node:inspector';
import type { Profiled } from '../report/profile.js';
import { World, type WorldOptions } from '../world.js';
import { download, upload } from './transfer.js';

export async function profileTransfers(
  options: WorldOptions,
  over: string,
  bytes: number,
): Promise<Profiled[]> {
  const world = await World.start(options);
  const transfers = { download, upload };
  const profiled: Profiled[] = [];
  try {
    await world.findsWay();
    for (const [name, transfer] of Object.entries(transfers)) {
      await transfer(world, bytes / 2); // makes code and connections warm
      const profiles = await profileParts(world, () => transfer(world, bytes));
      profiled.push({ what: `${name}, ${over}`, profiles });
    }
  } finally {
    await world.close();
  }
  return profiled;
}

async function profileParts(
  { relay, exit, proxy }: World,
  work: () => Promise<unknown>,
): Promise<Record<string, Profiler.Profile>> {
  const profiles: Record<string, Profiler.Profile> = {};
  let run = work;
  for (const [name, part] of Object.entries({ relay, exit, proxy })) {
    if (part === undefined) continue;
    const inner = run;
    run = async () => (profiles[name] = await part.profile(inner));
  }
  await run();
  return profiles;
}
