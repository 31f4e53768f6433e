// What yargs says about a wrong command line, in our words: one line that names the mistake, and a hint.

import { closest } from '../common/closest.js';
import { NwsError } from '../errors.js';
import { OPTION_NAMES } from './help.js';

/** A command line that yargs refuses, and the names of all commands. */
export interface Refused {
  readonly argv: readonly string[];
  readonly commands: readonly string[];
}

/** The usage error for a message of yargs. Never repeats what may be a secret key. */
export function usageError(message: string, { argv, commands }: Refused): NwsError {
  const command = argv.find((arg) => commands.includes(arg));
  const help = command === undefined ? 'see nws --help' : `see nws ${command} --help`;
  const unknown = /^Unknown (?:argument|command)s?: ([^,]*)/.exec(message)?.[1];
  if (unknown !== undefined) {
    return unknownWord(unknown, { argv, commands }, command, help);
  }
  const valueless = /^Not enough arguments following: (.*)$/.exec(message)?.[1];
  if (valueless !== undefined) return wrong(`--${valueless} needs a value`, help);
  if (message.startsWith('Not enough non-option')) return wrong('an argument is missing', help);
  return wrong(message.charAt(0).toLowerCase() + message.slice(1), help);
}

function unknownWord(
  word: string,
  { argv, commands }: Refused,
  command: string | undefined,
  help: string,
): NwsError {
  if (command === 'run' && !argv.includes('--')) {
    return wrong('run needs -- before the command', 'like this: nws run -- curl https://…');
  }
  if (argv.some((arg) => /^--?([^=]*)/.exec(arg)?.[1] === word)) {
    const meant = OPTION_NAMES.includes(word) ? undefined : closest(word, OPTION_NAMES);
    return wrong(`unknown option --${word}`, meant ? `did you mean --${meant}? ${help}` : help);
  }
  const shown = word.replace(/nsec1\w+|[0-9a-f]{64}/gi, '…');
  if (command !== undefined) return wrong(`unexpected argument ${shown}`, help);
  const meant = closest(word, commands);
  return wrong(`unknown command ${shown}`, meant ? `did you mean ${meant}? ${help}` : help);
}

function wrong(message: string, hint: string): NwsError {
  return new NwsError('bad_config', message, { hint });
}
