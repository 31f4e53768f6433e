// One transfer through everything, by curl: how fast, with how many events, and what it cost each process.

import type { World } from '../world.js';

const MEGABYTE = 1_000_000;

export interface Transferred {
  readonly megabytesPerSecond: number;
  /** Of the processes and of the relay, a 100 MB. */
  readonly events: number | undefined;
  readonly cpuSeconds: Readonly<Record<string, number>>;
}

export async function download(world: World, bytes: number, streams = 1): Promise<Transferred> {
  const each = Math.ceil(bytes / streams);
  return measured(world, each * streams, async () => {
    const argv = ['-o', '/dev/null', '-w', '%{size_download}', world.url(`/${each}`)];
    const got = await Promise.all(Array.from({ length: streams }, () => world.curl(...argv)));
    for (const size of got) expectBytes(Number(size), each);
  });
}

export async function upload(world: World, bytes: number): Promise<Transferred> {
  const file = await world.file(bytes);
  return measured(world, bytes, async () => {
    expectBytes(Number(await world.curl('-H', 'Expect:', '-T', file, world.url('/'))), bytes);
  });
}

async function measured(
  world: World,
  bytes: number,
  transfer: () => Promise<void>,
): Promise<Transferred> {
  const isCounted = world.relay !== undefined; // a witness of all of it would be a load
  const [before, eventsBefore] = [await world.cpuSeconds(), isCounted ? await world.events() : 0];
  const start = performance.now();
  await transfer();
  const seconds = (performance.now() - start) / 1_000;
  const [after, eventsAfter] = [await world.cpuSeconds(), isCounted ? await world.events() : 0];
  const hundreds = bytes / (100 * MEGABYTE);
  const cpuSeconds: Record<string, number> = {};
  for (const [name, value] of Object.entries(after)) {
    cpuSeconds[name] = (value - before[name]!) / hundreds;
  }
  return {
    megabytesPerSecond: bytes / MEGABYTE / seconds,
    events: isCounted ? (eventsAfter - eventsBefore) / hundreds : undefined,
    cpuSeconds,
  };
}

function expectBytes(got: number, expected: number): void {
  if (got !== expected) throw new Error(`${got} bytes arrived instead of ${expected}`);
}
