// The tools that users have: curl, which everybody needs who runs these tests, and others where they are found.

import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
} from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type Digest, digest } from './bytes.js';

export interface Transfer extends Digest {
  /** curl's exit status. */
  readonly status: number;
  readonly stderr: string;
}

export interface Output {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without the variables of this machine: no proxy, no configuration of its user. */
const ENV = { PATH: process.env.PATH };

/** curl whose output is hashed as it comes. */
export async function transfer(...args: string[]): Promise<Transfer> {
  const child = tool('curl', ['-q', '-sS', ...args]);
  const [got, stderr, [status]] = await Promise.all([
    digest(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { ...got, status, stderr };
}

/** A tool that runs, with all three of its streams. */
export function tool(name: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(name, args, { env: ENV });
}

/** What a child process wrote until its end. */
export async function outputOf(child: ChildProcess): Promise<Output> {
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}

/** Whether a tool is installed and says `pattern` when it is run with `args`; says so where it isn't. */
export function has(name: string, args: readonly string[], pattern = /./): boolean {
  const found = pattern.test(said(name, args));
  if (!found) console.log(`    (${name} is not found here: its tests are left out)`);
  return found;
}

function said(name: string, args: readonly string[]): string {
  try {
    const command = [name, ...args].map((word) => `'${word}'`).join(' ');
    return execFileSync('sh', ['-c', `command -v '${name}' && ${command} 2>&1 || true`], {
      encoding: 'utf8',
    });
  } catch {
    return '';
  }
}
