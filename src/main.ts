#!/usr/bin/env node
// Process entry: the only reader of process.argv and process.env, the only caller of exit().
// Everything else is cli/.

import { EventEmitter } from 'node:events';
import { homedir } from 'node:os';
import type { Io } from './cli/io.js';
import { stackOf } from './stack.js';

const argv = process.argv.slice(2);

// `ps` and /proc show the arguments to everybody on the machine; a new title takes their place.
// Before anything else is loaded, which is why the rest comes by import().
if (argv.some((arg) => arg === '--key' || arg.startsWith('--key='))) process.title = 'nws';

const STATUS_OF_SIGNAL = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  userHome: homedir(),
  platform: process.platform,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: new EventEmitter(),
  exitStatus: 0,
};

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!io.signals.emit('signal', signal)) process.exit(STATUS_OF_SIGNAL[signal]);
  });
}
// Nobody reads on (`nws name … | head -1`): that's no failure of ours, and there is nobody to tell.
process.stdout.on('error', () => process.exit(io.exitStatus));
process.stderr.on('error', () => undefined);
process.on('uncaughtException', reportBug);

const { runCli } = await import('./cli/cli.js');
const status = await runCli(argv, io);
process.stdout.write('', () => process.exit(status));

/** A mistake of ours that nothing caught. In doubt about the state, the process ends. */
function reportBug(error: Error): void {
  const isVerbose = ['debug', 'trace'].includes(process.env.NWS_LOG_LEVEL ?? '');
  const hint = 'this is a bug; NWS_LOG_LEVEL=debug shows where';
  process.stderr.write(`nws: ${isVerbose ? stackOf(error) : error.message}\nhint: ${hint}\n`);
  process.exit(1);
}
