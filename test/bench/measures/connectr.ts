// CONNECTR beside bare Node with the same TLS work, in the same rounds.

import { Part } from '../parts/part.js';
import type { Row } from '../report/table.js';
import { curl, World } from '../world.js';
import { download } from './transfer.js';

const MEGABYTE = 1_000_000;

export async function measureConnectr(rounds: number, bytes: number): Promise<Row[]> {
  const world = await World.start({ relay: 'plain', reverse: true });
  const bare = await Bare.start(world.targetUrl);
  const [ours, bareSpeeds]: [number[], number[]] = [[], []];
  const cpuSeconds: Record<string, number[]> = {};
  const bareCpu = { exit: [] as number[], entry: [] as number[] };
  try {
    await world.findsWay();
    await download(world, bytes / 10);
    await bare.download(bytes / 10);
    for (let round = 0; round < rounds; round += 1) {
      const before = await bare.cpuSeconds();
      bareSpeeds.push(await bare.download(bytes));
      const after = await bare.cpuSeconds();
      for (const name of ['exit', 'entry'] as const) {
        bareCpu[name].push((after[name] - before[name]) / (bytes / (100 * MEGABYTE)));
      }
      const got = await download(world, bytes);
      ours.push(got.megabytesPerSecond);
      for (const [name, cpu] of Object.entries(got.cpuSeconds)) (cpuSeconds[name] ??= []).push(cpu);
    }
  } finally {
    await bare.close();
    await world.close();
  }
  const ratios = { bare: ours.map((speed, round) => speed / bareSpeeds[round]!) };
  const unit = 'MB/s';
  return [
    {
      relay: 'past it',
      what: 'bare Node, TLS in TLS',
      unit,
      values: bareSpeeds,
      cpuSeconds: bareCpu,
    },
    {
      relay: 'past it',
      what: 'CONNECTR, download',
      unit,
      values: ours,
      ratios,
      cpuSeconds,
    },
  ];
}

class Bare {
  readonly #exit: Part;
  readonly #entry: Part;

  private constructor(exit: Part, entry: Part) {
    this.#exit = exit;
    this.#entry = entry;
  }

  static async start(target: string): Promise<Bare> {
    const exit = await Part.script('bare', ['exit', '127.0.0.1', new URL(target).port]);
    return new Bare(exit, await Part.script('bare', ['entry', '127.0.0.1', exit.ready.port!]));
  }

  /** @returns MB/s */
  async download(bytes: number): Promise<number> {
    const proxy = `http://127.0.0.1:${this.#entry.ready.port}`;
    const start = performance.now();
    await curl('--proxy', proxy, '--insecure', '-o', '/dev/null', `https://bare.nostr/${bytes}`);
    return bytes / MEGABYTE / ((performance.now() - start) / 1_000);
  }

  /** Until now. */
  async cpuSeconds(): Promise<{ exit: number; entry: number }> {
    const [exit, entry] = await Promise.all([this.#exit.usage(), this.#entry.usage()]);
    return { exit: exit.cpuSeconds, entry: entry.cpuSeconds };
  }

  async close(): Promise<void> {
    await Promise.all([this.#entry.end(), this.#exit.end()]);
  }
}
