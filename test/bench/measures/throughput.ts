// Throughputs over one relay, in rounds that begin with the blast bound: what is compared was measured minutes apart at most.

import type { Row } from '../report/table.js';
import { type RelayKind, World } from '../world.js';
import { Blast } from './blast.js';
import { download, type Transferred, upload } from './transfer.js';

const STREAMS = 32;
const BOUND = 'blast bound';

export async function measureThroughput(
  relay: RelayKind,
  rounds: number,
  bytes: number,
): Promise<Row[]> {
  const [world, slow] = await Promise.all([
    World.start({ relay }),
    World.start({ relay, wasm: true }),
  ]);
  const blast = await Blast.start(world, bytes);
  const transfers: Readonly<Record<string, () => Promise<Transferred>>> = {
    [BOUND]: () => blast.run(),
    download: () => download(world, bytes),
    upload: () => upload(world, bytes),
    [`${STREAMS} downloads at once`]: () => download(world, bytes, STREAMS),
    'download, all in WebAssembly': () => download(slow, bytes),
  };
  const results = new Map(Object.keys(transfers).map((name) => [name, [] as Transferred[]]));
  try {
    for (const one of [world, slow]) await download(one, bytes / 10); // makes code and connections warm
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, transfer] of Object.entries(transfers)) {
        results.get(name)!.push(await transfer());
      }
    }
  } finally {
    await blast.close();
    await world.close();
    await slow.close();
  }
  const bounds = results.get(BOUND)!.map(({ megabytesPerSecond }) => megabytesPerSecond);
  return [...results].map(([what, runs]) => {
    const values = runs.map(({ megabytesPerSecond }) => megabytesPerSecond);
    const ratios = values.map((speed, round) => speed / bounds[round]!);
    return {
      relay,
      what,
      unit: 'MB/s',
      values,
      ...(what !== BOUND && { ratios, ratioTo: 'blast' }),
      events: runs.map(({ events }) => events).filter((count) => count !== undefined),
      cpuSeconds: byProcess(runs),
    };
  });
}

function byProcess(runs: readonly Transferred[]): Record<string, number[]> {
  const names = Object.keys(runs[0]!.cpuSeconds);
  return Object.fromEntries(
    names.map((name) => [name, runs.map(({ cpuSeconds }) => cpuSeconds[name]!)]),
  );
}
