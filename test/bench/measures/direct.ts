// A direct path beside CONNECTR and beside bare UDX, in the same rounds: the first does the same by TCP, the other one
// is what any stream by UDX costs at least: a datagram of 1,500 bytes at most, each confirmed by one of its own, and each a
// call of the system on both sides. For 100 MB that is 70,300 each way, where TCP has 1,600.

import { Part } from '../parts/part.js';
import type { Row } from '../report/table.js';
import { World } from '../world.js';
import { download } from './transfer.js';

const MEGABYTE = 1_000_000;

/** MB/s, and CPU-seconds a 100 MB by process. */
type Run = Pick<Awaited<ReturnType<typeof download>>, 'megabytesPerSecond' | 'cpuSeconds'>;

export async function measureDirect(rounds: number, bytes: number): Promise<Row[]> {
  const connectr = await World.start({ relay: 'plain', reverse: true });
  const direct = await World.start({ relay: 'plain', direct: true });
  const bare = await BareUdx.start();
  const ways: Readonly<Record<string, (bytes: number) => Promise<Run>>> = {
    'bare UDX, no TLS': (count) => bare.download(count),
    'CONNECTR, beside a direct path': (count) => download(connectr, count),
    'direct path, download': (count) => download(direct, count),
  };
  const runs: Record<string, Run[]> = {};
  try {
    for (const world of [connectr, direct]) await world.findsWay();
    for (const run of Object.values(ways)) await run(bytes / 10);
    for (let round = 0; round < rounds; round += 1) {
      for (const [what, run] of Object.entries(ways)) (runs[what] ??= []).push(await run(bytes));
    }
  } finally {
    for (const each of [connectr, direct, bare]) await each.close();
  }
  return Object.entries(runs).map(([what, all]) => rowOf(what, all, runs));
}

function rowOf(what: string, all: readonly Run[], runs: Readonly<Record<string, Run[]>>): Row {
  const values = all.map(({ megabytesPerSecond }) => megabytesPerSecond);
  const beside = runs['CONNECTR, beside a direct path']!;
  const ratios = {
    CONNECTR: values.map((speed, round) => speed / beside[round]!.megabytesPerSecond),
  };
  const cpuSeconds: Record<string, number[]> = {};
  for (const run of all) {
    for (const [part, cpu] of Object.entries(run.cpuSeconds)) (cpuSeconds[part] ??= []).push(cpu);
  }
  const isRatio = runs[what] !== beside;
  const row = { relay: 'past it', what, unit: 'MB/s', values, cpuSeconds };
  return isRatio ? { ...row, ratios } : row;
}

class BareUdx {
  readonly #exit: Part;
  readonly #entry: Part;
  #streams = 0;

  private constructor(exit: Part, entry: Part) {
    this.#exit = exit;
    this.#entry = entry;
  }

  static async start(): Promise<BareUdx> {
    return new BareUdx(await Part.script('bare-udx', []), await Part.script('bare-udx', []));
  }

  async download(bytes: number): Promise<Run> {
    const [exit, entry] = [this.#exit, this.#entry];
    this.#streams += 1;
    const before = await Promise.all([exit.usage(), entry.usage()]);
    const start = performance.now();
    const received = entry.ask(`receive ${this.#streams} ${exit.ready.port} ${bytes}`, 'received');
    await exit.ask(`send ${this.#streams} ${entry.ready.port} ${bytes}`, 'sent');
    await received;
    const seconds = (performance.now() - start) / 1_000;
    const after = await Promise.all([exit.usage(), entry.usage()]);
    const [ofExit, ofEntry] = after.map(
      ({ cpuSeconds }, at) => (cpuSeconds - before[at]!.cpuSeconds) / (bytes / (100 * MEGABYTE)),
    );
    return {
      megabytesPerSecond: bytes / MEGABYTE / seconds,
      cpuSeconds: { exit: ofExit!, entry: ofEntry! },
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#exit.end(), this.#entry.end()]);
  }
}
