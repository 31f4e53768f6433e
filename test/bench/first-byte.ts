// How many round trips over the relay a new connection to an exit costs until its first byte, with a connection in advance
// and without: `npx tsx test/bench/first-byte.ts`. Prints medians and spread; leaves with 1 where that is over the limit.
// The round trip is that of a request on a connection that stands already, measured in the same run.

import { setTimeout as pause } from 'node:timers/promises';
import { World } from '../e2e/support/world.js';
import { listenHttp } from '../support/servers.js';

const RUNS = Number(process.env.RUNS ?? 9);
const DELAY_MS = 100;
const LIMIT = 1.2;

async function main(): Promise<void> {
  const site = await listenHttp((_req, res) => res.end('hello'));
  const target = `http://127.0.0.1:${site.port}`;
  const medians: number[] = [];
  for (const preconnect of [true, false]) {
    const behaviour = { deliveryDelayMs: DELAY_MS };
    const world = await World.start({ target, proxy: { preconnect }, behaviour });
    try {
      await world.curl(world.https('/'));
      const roundTrip: number[] = [];
      const first: number[] = [];
      for (let run = 0; run < RUNS; run += 1) {
        await pause(4 * DELAY_MS); // one that is used now and then, not one request on the heels of another
        roundTrip.push(await timed(world, world.http('/')));
        await pause(4 * DELAY_MS);
        first.push(await timed(world, world.https('/')));
      }
      const trip = median(roundTrip.slice(1));
      medians.push(median(first) / trip);
      const how = preconnect ? 'in advance' : 'without';
      console.log(`${how}: ${told(first)} for the first byte, ${told(roundTrip.slice(1))} a trip`);
      console.log(`  ${medians.at(-1)!.toFixed(2)} round trips (median of ${RUNS})`);
    } finally {
      await world.close();
    }
  }
  await site.close();
  if (medians[0]! > LIMIT) process.exitCode = 1;
}

/** Milliseconds until the first byte, by a curl of its own. */
async function timed(world: World, url: string): Promise<number> {
  const format = '%{time_starttransfer}';
  const { stdout } = await world.curl('--http1.1', '-o', '/dev/null', '-w', format, url);
  return Number(stdout) * 1_000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function told(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map(Math.round);
  return `${Math.round(median(values))} ms (${least} to ${most})`;
}

await main();
