// Downloads and uploads by curl whose progress a test can follow, and what memory they cost on the way.

import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Digest, digest, generated } from '../../e2e/support/bytes.js';
import type { Processes } from './processes.js';
import type { Program } from './program.js';

const MB = 1_000_000;

/** Size of the transfers of a usual run, in bytes; NWS_CHAOS_MB=1000 for the large ones. */
export const TRANSFER_BYTES = Number(process.env.NWS_CHAOS_MB ?? 10) * MB;

/** Counts what passes. */
export class Meter {
  #bytes = 0;
  #onBytes: (() => void)[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  async *through(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      this.#bytes += chunk.length;
      const waiting = this.#onBytes;
      this.#onBytes = [];
      for (const wake of waiting) wake();
      yield chunk;
    }
  }

  /** Resolves when so many bytes have passed. */
  async reached(bytes: number): Promise<void> {
    while (this.#bytes < bytes) {
      await new Promise<void>((resolve) => this.#onBytes.push(resolve));
    }
  }
}

export interface Outcome extends Digest {
  /** curl's exit status. */
  readonly status: number;
  readonly stderr: string;
}

export interface Transfer {
  readonly meter: Meter;
  /** What arrived at its other end. */
  readonly outcome: Promise<Outcome>;
}

/** What a transfer of so many bytes that went well comes to. */
export async function whole(bytes: number): Promise<Outcome> {
  return { ...(await digest(generated(bytes))), status: 0, stderr: '' };
}

/** GET /bytes/N of the site behind the exit. */
export function download(processes: Processes, bytes: number): Transfer {
  const meter = new Meter();
  const child = processes.curl(processes.url(`/bytes/${bytes}`));
  const outcome = Promise.all([
    digest(meter.through(child.stdout)),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]).then(([got, stderr, [status]]) => ({ ...got, status, stderr }));
  return { meter, outcome };
}

/** PUT /digest of the site behind the exit. */
export function upload(processes: Processes, bytes: number): Transfer {
  const meter = new Meter();
  const child = processes.curl('-T', '-', processes.url('/digest'));
  child.stdin.on('error', () => undefined);
  Readable.from(meter.through(generated(bytes))).pipe(child.stdin);
  const outcome = Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]).then(([answer, stderr, [status]]) => {
    const got = status === 0 ? (JSON.parse(answer) as Digest) : { bytes: 0, sha256: '' };
    return { ...got, status, stderr };
  });
  return { meter, outcome };
}

/** Memory of a program when a transfer was so far, in bytes: the median of some samples around it. */
export interface MemoryAt {
  readonly tenth: number;
  readonly half: number;
  readonly end: number;
}

const SAMPLES = 100;

/** Samples memory all along a transfer. */
export async function memoryDuring(
  { meter }: Transfer,
  bytes: number,
  programs: readonly Program[],
): Promise<MemoryAt[]> {
  const samples: number[][] = programs.map(() => []);
  for (let index = 1; index <= SAMPLES; index += 1) {
    await meter.reached((bytes / SAMPLES) * index);
    for (const [of, program] of programs.entries()) samples[of]!.push(program.residentBytes);
  }
  const around = (all: number[], index: number): number =>
    median(all.slice(index - SAMPLES / 20, index + SAMPLES / 20));
  return samples.map((all) => ({
    tenth: around(all, SAMPLES / 10),
    half: around(all, SAMPLES / 2),
    end: around(all, SAMPLES - SAMPLES / 20),
  }));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
