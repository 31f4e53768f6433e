// How fast the program is, beside what the same machine and relay could do at most: `scripts/bench`, or here
// main.ts [--quick] [--relay URL] [--rounds N] [--mb N] [--only WORDS] [--before CHECKOUT] [--out FILE]
// Takes dist/ as it is. Prints one table, and keeps it with the date in results/.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadUdx } from '../../src/tunnel/direct/udx.js';
import { measureConnectr } from './measures/connectr.js';
import { measureCurves } from './measures/curve.js';
import { measureDirect } from './measures/direct.js';
import { measureExchanges } from './measures/exchanges.js';
import { measureIdle } from './measures/idle.js';
import { measureInteractive } from './measures/interactive.js';
import { measureLong } from './measures/long.js';
import { measureOks } from './measures/oks.js';
import { profileTransfers } from './measures/profile.js';
import { measureRelays } from './measures/relays.js';
import { measureThroughput } from './measures/throughput.js';
import { machine } from './report/machine.js';
import { type Profiled, profilesOf } from './report/profile.js';
import { type Row, tableOf } from './report/table.js';
import type { RelayKind } from './world.js';

const MEGABYTE = 1_000_000;
const RESULTS = fileURLToPath(new URL('./results/', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    relay: { type: 'string' },
    rounds: { type: 'string' },
    mb: { type: 'string' },
    only: { type: 'string' },
    before: { type: 'string' },
    out: { type: 'string' },
  },
});

const rounds = Number(flags.rounds ?? (flags.quick ? 1 : 5));
const megabytes = Number(flags.mb ?? (flags.quick ? 1 : 100));
const bytes = megabytes * MEGABYTE;
const relays: readonly RelayKind[] =
  flags.relay !== undefined
    ? [flags.relay as RelayKind]
    : flags.quick
      ? ['plain']
      : ['plain', 'strfry'];

const interactive = { rounds, bytes: bytes / 2, aloneMs: flags.quick ? 500 : 5_000 };
const exchanges = { rounds, ...(flags.quick && { largest: 1, quietMs: 300 }) };

/** In this order, each by a word for `--only`. */
const measures: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  curve: () => measureCurves(rounds, flags.quick ? 10 : 300),
  ...Object.fromEntries(
    relays.flatMap((relay) => [
      [`throughput ${relay}`, () => measureThroughput(relay, rounds, bytes, flags.before)],
      [`events ${relay}`, () => measureExchanges(relay, exchanges)],
      [`interactive ${relay}`, () => measureInteractive(relay, interactive)],
    ]),
  ),
  // Three sets of processes more: not in the quick run, which is part of the tests.
  ...(!flags.quick && { oks: () => measureOks(rounds, bytes / 5) }),
  relays: () => measureRelays(rounds, flags.quick ? bytes : bytes / 5),
  ...(!flags.quick && { long: () => measureLong(relays[0]!, 1, bytes) }),
  idle: () => measureIdle(flags.quick ? 1 : Math.min(rounds, 3), flags.quick ? 200 : 10_000),
  connectr: () => measureConnectr(rounds, bytes * (flags.quick ? 1 : 3)),
  // As above: not in the quick run.
  ...(!flags.quick && { direct: () => measureDirect(rounds, bytes * 3) }),
};

/** The same: what the figures above are made of. */
const profiles: Readonly<Record<string, () => Promise<Profiled[]>>> = {
  ...Object.fromEntries(
    relays.map((relay) => [
      `profile ${relay}`,
      () => profileTransfers({ relay }, `relay ${relay}`, bytes),
    ]),
  ),
  ...(!flags.quick && {
    'profile connectr': () =>
      profileTransfers({ relay: 'plain', reverse: true }, 'CONNECTR', 3 * bytes),
    'profile direct': () =>
      profileTransfers({ relay: 'plain', direct: true }, 'direct path', 3 * bytes),
  }),
};

async function main(): Promise<void> {
  const head = [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${rounds} rounds, ${megabytes} MB a transfer`,
    ...machine(),
  ];
  const rows = await all(measures);
  const profiled = await all(profiles);
  const parts = [`# Bench\n\n${head.map((line) => `- ${line}`).join('\n')}`];
  if (rows.length > 0) parts.push(tableOf(rows));
  if (profiled.length > 0) parts.push(profilesOf(profiled));
  const page = `${parts.join('\n\n')}\n`;
  process.stdout.write(page);
  const isPart = flags.quick || flags.only !== undefined;
  const file = flags.out ?? (isPart ? undefined : resultFile());
  if (file !== undefined) writeFileSync(file, page);
}

/** What is measured one after the other, as far as it is asked for. */
async function all<T>(named: Readonly<Record<string, () => T[] | Promise<T[]>>>): Promise<T[]> {
  const results: T[] = [];
  const hasUdx = await loadUdx().then(
    () => true,
    () => false,
  );
  for (const [name, measure] of Object.entries(named)) {
    if (!name.includes(flags.only ?? '')) continue;
    if (name.endsWith('direct') && !hasUdx) {
      console.error(`${name}: left out, since udx-native can't be loaded here`);
      continue;
    }
    const start = performance.now();
    results.push(...(await measure()));
    console.error(`${name}: ${Math.round((performance.now() - start) / 1_000)} s`);
  }
  return results;
}

/** Another one for each run of a day. */
function resultFile(): string {
  mkdirSync(RESULTS, { recursive: true });
  const day = new Date().toISOString().slice(0, 10);
  for (let run = 1; ; run += 1) {
    const file = `${RESULTS}${day}${run === 1 ? '' : `-${run}`}.md`;
    if (!existsSync(file)) return file;
  }
}

await main();
