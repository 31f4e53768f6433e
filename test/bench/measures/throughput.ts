// Throughputs over one relay, in rounds that begin with the blast bound: what is compared was measured minutes apart at most.

import type { Row } from '../report/table.js';
import { type RelayKind, World } from '../world.js';
import { Blast } from './blast.js';
import { download, type Transferred, upload } from './transfer.js';

const STREAMS = 32;
/** How much more they bring in sum: at a relay that answers late, as strfry does, it takes them half a second to open. */
const STREAMS_FACTOR = 4;
const BOUND = 'blast bound';
const BOUND_BEFORE = 'blast bound, relay of before';

/** @param before - checkout of an earlier version, built, that is measured in the same rounds */
export async function measureThroughput(
  relay: RelayKind,
  rounds: number,
  bytes: number,
  before?: string,
): Promise<Row[]> {
  const world = await World.start({ relay });
  const slow = await World.start({ relay, wasm: true });
  const old = before === undefined ? undefined : await World.start({ relay, root: before });
  const worlds = [world, slow, ...(old ? [old] : [])];
  const blast = await Blast.start(world, bytes);
  const oldBlast = old && (await Blast.start(old, bytes));
  const transfers: Readonly<Record<string, () => Promise<Transferred>>> = {
    [BOUND]: () => blast.run(),
    ...(oldBlast && { [BOUND_BEFORE]: () => oldBlast.run() }),
    download: () => download(world, bytes),
    upload: () => upload(world, bytes),
    [`${STREAMS} downloads at once`]: () => download(world, STREAMS_FACTOR * bytes, STREAMS),
    'download, all in WebAssembly': () => download(slow, bytes),
    ...(old && {
      'download, version of before': () => download(old, bytes),
      'upload, version of before': () => upload(old, bytes),
    }),
  };
  const results = new Map(Object.keys(transfers).map((name) => [name, [] as Transferred[]]));
  try {
    for (const one of worlds) await download(one, bytes / 10); // makes code and connections warm
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, transfer] of Object.entries(transfers)) {
        results.get(name)!.push(await transfer());
      }
    }
  } finally {
    await Promise.all([blast, oldBlast, ...worlds].map((part) => part?.close()));
  }
  const speeds = (name: string): number[] =>
    results.get(name)!.map(({ megabytesPerSecond }) => megabytesPerSecond);
  const bounds = { blast: BOUND, ...(old && { 'blast of before': BOUND_BEFORE }) };
  return [...results].map(([what, runs]) => {
    const values = speeds(what);
    const ratios = Object.entries(bounds).map(([name, bound]) => {
      const to = speeds(bound);
      return [name, values.map((speed, round) => speed / to[round]!)];
    });
    return {
      relay,
      what,
      unit: 'MB/s',
      values,
      ...(!Object.values(bounds).includes(what) && { ratios: Object.fromEntries(ratios) }),
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
