#!/usr/bin/env node
// Process entry: the only reader of process.argv and process.env, the only caller of exit().
// Everything else is cli/.

import { EventEmitter } from 'node:events';
import { homedir } from 'node:os';
import { makeRoomForBuffers } from './buffer-room.js';
import type { Io } from './cli/io.js';
import { BUG_HINT, stackOf } from './stack.js';

const argv = process.argv.slice(2);

// `ps` and /proc show the arguments to everybody on the machine; a new title takes their place.
// Before anything else is loaded, which is why the rest comes by import().
if (argv.some((arg) => arg === '--key' || arg.startsWith('--key='))) process.title = 'nws';

/** EX_SOFTWARE of sysexits(3). */
const SOFTWARE_ERROR = 70;
/** How long peers may take to be told. */
const FAREWELL_MS = 1_000;
/** What is over by then has no large transfers, and would only start more slowly. */
const BUFFER_ROOM_AFTER_MS = 1_000;
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
  onCrash: new Set(),
  exitStatus: 0,
};
let isCrashing = false;

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!io.signals.emit('signal', signal)) process.exit(STATUS_OF_SIGNAL[signal]);
  });
}
// Nobody reads on (`nws name … | head -1`): that's no failure of ours, and there is nobody to tell.
process.stdout.on('error', () => process.exit(io.exitStatus));
process.stderr.on('error', () => undefined);
process.on('uncaughtException', onBug);
setTimeout(makeRoomForBuffers, BUFFER_ROOM_AFTER_MS).unref();

const { runCli } = await import('./cli/cli.js');
const status = await runCli(argv, io);
process.stdout.write('', () => process.exit(status));

/**
 * A mistake of ours that nothing caught. In doubt about the state, the process ends: with a word to the log and a
 * farewell to peers, neither of which may keep it.
 */
function onBug(error: Error): void {
  if (isCrashing) process.exit(SOFTWARE_ERROR);
  isCrashing = true;
  if (io.onCrash.size === 0) process.stderr.write(`nws: ${stackOf(error)}\nhint: ${BUG_HINT}\n`);
  setTimeout(() => process.exit(SOFTWARE_ERROR), FAREWELL_MS);
  const farewells = [...io.onCrash].map(async (act) => act(error));
  void Promise.allSettled(farewells).then(() => process.exit(SOFTWARE_ERROR));
}
