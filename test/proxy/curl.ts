// curl as a user runs it, without settings of its own.

import { execFile } from 'node:child_process';

export interface CurlResult {
  /** curl's exit status. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function curl(...args: string[]): Promise<CurlResult> {
  return new Promise((resolve) => {
    // -q: no .curlrc. No variables: a proxy of the machine must not get in between.
    const child = execFile(
      'curl',
      ['-q', '-sS', '--max-time', '15', ...args],
      { env: { PATH: process.env.PATH } },
      (_error, stdout, stderr) => resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
