// What trust stores need to know of this machine, and how their commands are run on it. Tests make their own.

import { execFile, spawn } from 'node:child_process';
import { access, constants, readdir, readFile, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Io } from '../io.js';

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly userHome: string;
  readonly isRoot: boolean;
  /** Absolute path of a program, if there is one. */
  find(program: string): Promise<string | undefined>;
  exists(path: string): Promise<boolean>;
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Undefined where it can't be read. */
  read(path: string): Promise<string | undefined>;
  realPath(path: string): Promise<string>;
  /** Whether a command ends with 0; it changes nothing and is not shown. */
  asks(command: Command): Promise<boolean>;
  /** Runs a command in the user's sight, for passwords as well. @returns its exit status */
  run(command: Command): Promise<number>;
}

/** A question to a program that hangs is a no. */
const ASK_TIMEOUT_MS = 20_000;
/** Where programs for root are, which a user's PATH may leave out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export function thisMachine(io: Io): Machine {
  const { platform, userHome, env } = io;
  const isThere = (path: string, mode: number): Promise<boolean> =>
    access(path, mode).then(
      () => true,
      () => false,
    );
  const folders = [...(env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS].filter(Boolean);
  return {
    platform,
    userHome,
    isRoot: process.getuid?.() === 0,
    exists: (path) => isThere(path, constants.F_OK),
    list: (folder) => readdir(folder).catch(() => []),
    read: (path) => readFile(path, 'utf8').catch(() => undefined),
    realPath: (path) => realpath(path).catch(() => path),
    async find(program) {
      for (const folder of folders) {
        const path = join(folder, program);
        if (await isThere(path, constants.X_OK)) return path;
      }
      return undefined;
    },
    asks: ([program, ...args]) =>
      new Promise((resolve) => {
        const options = { env, timeout: ASK_TIMEOUT_MS };
        execFile(program, args, options, (error) => resolve(error === null));
      }),
    run: ([program, ...args]) =>
      new Promise((resolve) => {
        // Its words go to stderr: stdout has our result alone.
        const child = spawn(program, args, { env, stdio: ['inherit', 'pipe', 'pipe'] });
        for (const output of [child.stdout, child.stderr]) output.pipe(io.stderr, { end: false });
        child.once('error', () => resolve(127)).once('close', (status) => resolve(status ?? 1));
      }),
  };
}
