// The command line: finds the command, runs it, turns every failure into one line, a hint and a status.

import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import { type ErrorCode, type NwsError, toNwsError } from '../errors.js';
import { caCommand } from './commands/ca.js';
import { certCommand } from './commands/cert.js';
import { demoCommand } from './commands/demo.js';
import { discoverCommand } from './commands/discover.js';
import { exitCommand } from './commands/exit.js';
import { keygenCommand } from './commands/keygen.js';
import { nameCommand } from './commands/name.js';
import { proxyCommand } from './commands/proxy.js';
import { relayCommand } from './commands/relay.js';
import { resolveCommand } from './commands/resolve.js';
import { runCommand } from './commands/run.js';
import { examples } from './help.js';
import type { Io } from './io.js';
import { usageError } from './usage.js';

/** What the user got wrong, rather than what went wrong. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set(['bad_config', 'bad_name', 'no_relay']);

const MAX_WIDTH = 100;

const COMMANDS = [
  proxyCommand,
  exitCommand,
  runCommand,
  demoCommand,
  relayCommand,
  resolveCommand,
  nameCommand,
  certCommand,
  caCommand,
  discoverCommand,
  keygenCommand,
];

/**
 * Runs one command line.
 * @param argv arguments, without the program's own name
 * @returns the exit status: 0 all well, 1 failed, 2 wrong usage or settings; `run` has its command's
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let help = '';
  try {
    await parser(argv, io).parseAsync([...argv], {}, (_error, _argv, output) => {
      help = output;
    });
  } catch (error) {
    return report(io, toNwsError(error));
  }
  if (help !== '') io.stdout.write(`${help}\n`);
  return io.exitStatus;
}

function parser(argv: readonly string[], io: Io): Argv {
  const modules = COMMANDS.map((command) => command(io));
  const names = modules.map(({ command }) => String(command).split(' ', 1)[0] ?? '');
  const cli = yargs()
    .scriptName('nws')
    .usage(
      '$0 COMMAND [options]\n\nReach web servers by their Nostr key, and be reached, over relays.',
    )
    .parserConfiguration({
      'populate--': true,
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .locale('en') // the language of the messages that usageError() knows
    .exitProcess(false)
    .strict()
    .demandCommand(1, 'a command is missing')
    .version(packageVersion())
    .help()
    .wrap(Math.min(MAX_WIDTH, io.stdout.columns ?? MAX_WIDTH))
    .epilogue(examples(['see it work on this machine', 'nws demo']))
    .fail((message, error) => {
      // Our own errors come from a command; what yargs finds is the user's.
      if (error instanceof Error && error.name !== 'YError') throw error;
      throw usageError(message ?? error?.message ?? 'wrong usage', { argv, commands: names });
    });
  return modules.reduce((all, module) => all.command(module), cli);
}

function report(io: Io, error: NwsError): number {
  io.stderr.write(`nws: ${error.message}\n`);
  if (error.hint !== undefined) io.stderr.write(`hint: ${error.hint}\n`);
  return USAGE_CODES.has(error.code) ? 2 : 1;
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
