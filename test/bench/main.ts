// How fast the program is, beside what the same machine and relay could do at most: `scripts/bench`, or here
// main.ts [--quick] [--relay URL] [--rounds N] [--mb N] [--only WORDS] [--out FILE]
// Takes dist/ as it is. Prints one table, and keeps it with the date in results/.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureConnectr } from './measures/connectr.js';
import { measureCurves } from './measures/curve.js';
import { measureExchanges } from './measures/exchanges.js';
import { measureIdle } from './measures/idle.js';
import { measureInteractive } from './measures/interactive.js';
import { measureLong } from './measures/long.js';
import { measureOks } from './measures/oks.js';
import { measureRelays } from './measures/relays.js';
import { measureThroughput } from './measures/throughput.js';
import { machine } from './report/machine.js';
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
      [`throughput ${relay}`, () => measureThroughput(relay, rounds, bytes)],
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
};

async function main(): Promise<void> {
  const head = [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${rounds} rounds, ${megabytes} MB a transfer`,
    ...machine(),
  ];
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(measures)) {
    if (!name.includes(flags.only ?? '')) continue;
    const start = performance.now();
    rows.push(...(await measure()));
    console.error(`${name}: ${Math.round((performance.now() - start) / 1_000)} s`);
  }
  const page = `# Bench\n\n${head.map((line) => `- ${line}`).join('\n')}\n\n${tableOf(rows)}\n`;
  process.stdout.write(page);
  const isPart = flags.quick || flags.only !== undefined;
  const file = flags.out ?? (isPart ? undefined : resultFile());
  if (file !== undefined) writeFileSync(file, page);
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
