// A child process that stands in for this one: its terminal, its signals, its exit status.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { NwsError } from '../../errors.js';
import type { Io } from '../io.js';

/** What a shell answers for a command that it can't find, or can't execute. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/**
 * Runs a command to its end.
 * @returns its exit status; 128 and the signal's number where a signal ended it; 127 where there is
 *   no such command and 126 where it can't be executed, after saying so
 */
export function runChild(
  io: Io,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env, cwd: io.cwd });
    const forward = (signal: NodeJS.Signals): void => {
      // A terminal sends Ctrl-C to the whole foreground group: the child has it already.
      if (signal !== 'SIGINT' || io.stdin.isTTY !== true) child.kill(signal);
    };
    io.signals.on('signal', forward);
    child.once('error', (error: NodeJS.ErrnoException) => {
      io.signals.off('signal', forward);
      const status = statusOfFailure(error);
      if (status === undefined) return reject(new NwsError('proxy_internal_error', error.message));
      io.stderr.write(
        `nws: ${command}: ${status === NOT_FOUND ? 'not found' : 'not executable'}\n`,
      );
      io.stderr.write('hint: what follows -- is the command and its arguments\n');
      resolve(status);
    });
    child.once('exit', (code, signal) => {
      io.signals.off('signal', forward);
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']);
    });
  });
}

function statusOfFailure(error: NodeJS.ErrnoException): number | undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return NOT_FOUND;
  return error.code === 'EACCES' || error.code === 'EPERM' ? NOT_EXECUTABLE : undefined;
}
