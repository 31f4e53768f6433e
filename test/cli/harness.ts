// Runs command lines inside the test process, with captured output and a home folder of their own,
// or as processes of their own where the process itself is under test.

import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runCli } from '../../src/cli/cli.js';
import type { Io } from '../../src/cli/io.js';

/** The program: as the runner names it, else from its sources. */
export const PROGRAM: readonly string[] =
  process.env.NWS_TEST_PROGRAM !== undefined
    ? [process.env.NWS_TEST_PROGRAM]
    : [
        '--import',
        import.meta.resolve('tsx'),
        fileURLToPath(new URL('../../src/main.ts', import.meta.url)),
      ];

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that runs: its first line of output, its signals, its end. */
export interface Running {
  readonly io: Io;
  readonly result: Promise<Result>;
  /** The next chunk of stdout, or undefined when the command ended before it wrote any. */
  firstOutput(): Promise<string | undefined>;
}

/** A folder that is removed after the current suite's last test. */
export function useTempFolder(): { readonly path: string } {
  const folder = { path: '' };
  before(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'nws-test-'));
  });
  after(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}

/** Starts a command line in this process. `folder` is working directory, user's home and NWS_HOME. */
export function start(
  folder: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const io: Io = {
    env: { PATH: process.env.PATH, NWS_HOME: join(folder, 'home'), ...env },
    cwd: folder,
    userHome: folder,
    platform: process.platform,
    stdin: new PassThrough(),
    stdout,
    stderr,
    signals: new EventEmitter(),
    onCrash: new Set(),
    exitStatus: 0,
  };
  const written = { stdout: '', stderr: '' };
  stdout.on('data', (data) => {
    written.stdout += data;
  });
  stderr.on('data', (data) => {
    written.stderr += data;
  });
  const chunk = once(stdout, 'data').then(([data]) => String(data));
  const result = runCli(argv, io).then(async (status) => {
    await Promise.all([once(stdout.end(), 'end'), once(stderr.end(), 'end')]);
    return { status, ...written };
  });
  const ended = result.then(() => undefined);
  return { io, result, firstOutput: () => Promise.race([chunk, ended]) };
}

/** Runs a command line in this process to its end. */
export function run(
  folder: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  return start(folder, argv, env).result;
}

/**
 * Starts the program itself as a process.
 * @param files that the system lets it open; default: as many as us
 */
export function spawnMain(
  folder: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  files?: number,
): ChildProcess {
  const program = [process.execPath, ...PROGRAM, ...argv];
  const limited = ['sh', '-c', `ulimit -n ${files} && exec "$0" "$@"`, ...program];
  const [command, ...rest] = files === undefined ? program : limited;
  return spawn(command!, rest, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NWS_HOME: join(folder, 'home'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Lines of JSON. */
export function jsonLines(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
