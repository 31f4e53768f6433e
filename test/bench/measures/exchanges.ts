// How many events small exchanges take, until nothing more comes.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../report/table.js';
import { type RelayKind, World } from '../world.js';

/** Longer than anybody puts off an acknowledgement or a farewell. */
const QUIET_MS = 1_200;

/** In this order through one entry. */
const EXCHANGES = {
  'GET by https, entry just started': '1',
  'GET by https, new connection': '1',
  'GET by http, absolute form, exit known': '1',
  'GET by http, absolute form, connection known': '1',
  '1 MB by https, new connection': '1000000',
  '10 MB by https, new connection': '10000000',
} as const;

type Exchange = keyof typeof EXCHANGES;

export interface ExchangeOptions {
  readonly rounds: number;
  /** Exchanges of more bytes are left out. */
  readonly largest?: number;
  readonly quietMs?: number;
}

export async function measureExchanges(
  relay: RelayKind,
  { rounds, largest = 10_000_000, quietMs = QUIET_MS }: ExchangeOptions,
): Promise<Row[]> {
  const exchanges = (Object.keys(EXCHANGES) as Exchange[]).filter(
    (exchange) => Number(EXCHANGES[exchange]) <= largest,
  );
  const world = await World.start({ relay });
  const rows = exchanges.map((what) => ({ relay, what, unit: 'events', values: [] as number[] }));
  try {
    for (let round = 0; round < rounds; round += 1) {
      const counts = await countExchanges(world, exchanges, quietMs);
      for (const row of rows) row.values.push(counts[row.what]);
    }
  } finally {
    await world.close();
  }
  return rows;
}

/** Each once, through a fresh entry. */
async function countExchanges(
  world: World,
  only: readonly Exchange[],
  quietMs: number,
): Promise<Record<Exchange, number>> {
  await world.startProxy();
  await quiet(world, quietMs);
  const counts = {} as Record<Exchange, number>;
  for (const exchange of only) {
    const scheme = exchange.includes('absolute form') ? 'http' : 'https';
    const url = world.url(`/${EXCHANGES[exchange]}`, scheme);
    const before = await world.events();
    await world.curl('-o', '/dev/null', url);
    await quiet(world, quietMs);
    counts[exchange] = (await world.events()) - before;
  }
  return counts;
}

async function quiet(world: World, quietMs: number): Promise<void> {
  let last = await world.events();
  let since = performance.now();
  while (performance.now() - since < quietMs) {
    await sleep(100);
    const now = await world.events();
    if (now !== last) since = performance.now();
    last = now;
  }
}
