// Runs groups of exchanges, many at once, and fails with what went wrong, each with the line that repeats it.

import { setTimeout as pause } from 'node:timers/promises';
import { runGroup } from './client.js';
import { runStreams } from './h2-client.js';
import type { Rig } from './near.js';
import type { Origin } from './origin.js';
import { describeExchange, type Exchange, type Group, type Way } from './plan.js';
import { makeGroup } from './requests.js';
import { verdict } from './verdict.js';

export interface RunOptions {
  readonly seed: number;
  /** Of the test. */
  readonly title: string;
  readonly exchanges: number;
  readonly ways: readonly Way[];
  /** Groups at once. */
  readonly atOnce: number;
  /** One group alone, by its number. */
  readonly only?: number | undefined;
}

/** What a group may take, however busy the machine is; longer is a hang. */
const HANG_MS = 30_000;

export async function run(rig: Rig, origin: Origin, options: RunOptions): Promise<void> {
  const faults: string[] = [];
  const under = new Set<Group>();
  const onThrown = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : String(error);
    const lines = [...under].map(({ index }) => index).join();
    faults.push(`thrown, which ends a process: ${stack}\n  while groups ${lines} ran`);
  };
  const onWarning = (warning: Error): void => void faults.push(`warning: ${warning.stack}`);
  const restore = takeOver(onThrown);
  process.on('warning', onWarning);
  try {
    let left = options.exchanges;
    let next = options.only ?? 0;
    const work = async (): Promise<void> => {
      while (left > 0 && faults.length < MAX_FAULTS) {
        const group = makeGroup(options.seed, next++, options.ways);
        left -= options.only === undefined ? group.exchanges.length : left;
        under.add(group);
        faults.push(
          ...(await runOne(rig, origin, group)).map(
            (fault) => `${fault}\n    ${repeat(options, group)}`,
          ),
        );
        under.delete(group);
      }
    };
    await Promise.all(
      Array.from({ length: options.only === undefined ? options.atOnce : 1 }, work),
    );
  } finally {
    restore();
    process.off('warning', onWarning);
  }
  faults.push(...origin.strays.map((stray) => `the origin was asked for ${stray}`));
  if (faults.length > 0) throw new Error(`${faults.length} faults:\n${faults.join('\n')}`);
}

/** More would say nothing new. */
const MAX_FAULTS = Number(process.env.NWS_FUZZ_FAULTS ?? 20);

function repeat(options: RunOptions, { index }: Group): string {
  return `NWS_SEED=${options.seed} NWS_FUZZ_ONLY=${index} npx mocha test/fuzz/exchanges.test.ts -g '${options.title}'`;
}

async function runOne(rig: Rig, origin: Origin, group: Group): Promise<string[]> {
  const faults: string[] = [];
  const say = (exchange: Exchange, what: string): void => {
    faults.push(`${what}\n    ${describeExchange(group, exchange)}`);
  };
  const open = new Set(group.exchanges);
  for (const exchange of group.exchanges) origin.expect(exchange);
  const over = new AbortController();
  const hang = pause(HANG_MS, 'hang', { signal: over.signal }).catch(() => 'done');
  const ask = group.way === 'h2' ? runStreams : runGroup;
  const done = ask(rig.door(group.way), group, (exchange, view) => {
    open.delete(exchange);
    const wrong = verdict(group.way, group.isPipelined, exchange, view, origin.seen(exchange.id));
    if (wrong !== undefined) say(exchange, wrong);
  });
  const failed = done.then(
    () => 'done',
    (error: Error) => `the client failed: ${error.message}`,
  );
  const end = await Promise.race([failed, hang]);
  over.abort();
  if (end !== 'done') for (const exchange of open) say(exchange, end);
  return faults;
}

/** What is thrown is counted instead of ending the test. */
function takeOver(onThrown: (error: unknown) => void): () => void {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.listeners(event as 'uncaughtException'));
  for (const event of events) process.removeAllListeners(event).on(event, onThrown);
  return () => {
    for (const [at, event] of events.entries()) {
      process.removeAllListeners(event);
      for (const listener of before[at]!) process.on(event, listener);
    }
  };
}
