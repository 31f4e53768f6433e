// The command line: finds the command, runs it, turns every failure into one line, a hint and a status.

import type { Argv } from 'yargs';
import { packageVersion } from '../common/version.js';
import { type ErrorCode, type NwsError, toNwsError } from '../errors.js';
import { nameOf } from './command.js';
import { COMMANDS } from './commands.js';
import { examples } from './help.js';
import type { Io } from './io.js';
import { usageError } from './usage.js';

/** What the user got wrong, rather than what went wrong. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set(['bad_config', 'bad_name', 'no_relay']);

const MAX_WIDTH = 100;

/**
 * Runs one command line.
 * @param argv arguments, without the program's own name
 * @returns the exit status: 0 all well, 1 failed, 2 wrong usage or settings; `run` has its command's
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let help = '';
  try {
    if (asksVersion(argv)) {
      io.stdout.write(`${packageVersion()}\n`);
      return 0;
    }
    const cli = await parser(argv, io);
    await cli.parseAsync([...argv], {}, (_error, _argv, output) => {
      help = output;
    });
  } catch (error) {
    return report(io, toNwsError(error));
  }
  if (help !== '') io.stdout.write(`${help}\n`);
  return io.exitStatus;
}

/** `--version` is all the same behind any command, and not worth loading one. */
function asksVersion(argv: readonly string[]): boolean {
  const own = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined);
  return own.includes('--version') && !own.includes('--help');
}

async function parser(argv: readonly string[], io: Io): Promise<Argv> {
  const { default: yargs } = await import('yargs');
  const names = COMMANDS.map(nameOf);
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
  for (const command of COMMANDS) {
    const { usage, describe, load } = command;
    // Whichever it turns out to be, its name is one of the words.
    const body = argv.includes(nameOf(command)) ? await load(io) : undefined;
    cli.command({ command: usage, describe, handler: () => undefined, ...body });
  }
  return cli;
}

function report(io: Io, error: NwsError): number {
  io.stderr.write(`nws: ${error.message}\n`);
  if (error.hint !== undefined) io.stderr.write(`hint: ${error.hint}\n`);
  return USAGE_CODES.has(error.code) ? 2 : 1;
}
