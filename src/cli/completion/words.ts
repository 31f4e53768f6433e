// The words of the command line as shells complete them: commands, their options, and what an option may be.

import type { Argv, Options } from 'yargs';
import { LOG_FORMATS, LOG_LEVELS } from '../../config/config.js';
import { PRESETS } from '../../relay/embedded/presets.js';
import { type Command, nameOf } from '../command.js';
import type { Io } from '../io.js';

/** What completes the value of an option, or an argument. */
export type Values = readonly string[] | 'file' | 'folder' | 'host' | 'none';

export interface OptionWords {
  /** With its dashes. */
  readonly flag: string;
  readonly describe: string;
  readonly takesValue: boolean;
  readonly values: Values;
}

export interface CommandWords {
  readonly name: string;
  readonly describe: string;
  readonly options: readonly OptionWords[];
  /** Of its arguments. */
  readonly values: Values;
}

const VALUES: Readonly<Record<string, Values>> = {
  tls: ['terminate', 'passthrough'],
  clearnet: ['direct', 'exit', 'deny'],
  exit: 'host',
  'direct-exit': 'host',
  'reverse-tls': ['required', 'optional'],
  'log-level': LOG_LEVELS,
  'log-format': LOG_FORMATS,
  behave: Object.keys(PRESETS),
  'over-rate': ['late', 'refused'],
  'host-header': ['target'],
  'key-file': 'file',
  'target-ca': 'file',
  out: 'file',
  home: 'folder',
};

const ARGUMENTS: Readonly<Record<string, Values>> = {
  alias: ['add', 'list', 'remove'],
  completion: ['bash', 'zsh', 'fish'],
};

/** Every command loads what it needs to say what it takes. */
export async function wordsOf(commands: readonly Command[], io: Io): Promise<CommandWords[]> {
  return Promise.all(commands.map((command) => wordsOfCommand(command, io)));
}

async function wordsOfCommand(command: Command, io: Io): Promise<CommandWords> {
  const { builder } = await command.load(io);
  const found: Record<string, Options> = {};
  builder(collector(found));
  const name = nameOf(command);
  const options = Object.entries(found).map(([key, { describe, type }]) => ({
    flag: `--${key}`,
    describe: describe ?? '',
    takesValue: type !== 'boolean',
    values: VALUES[key] ?? ('none' as const),
  }));
  const help = { describe: 'Show help', takesValue: false, values: 'none' } as const;
  const takesHost = /[<[]host[>\]]/.test(command.usage);
  return {
    name,
    describe: command.describe,
    options: [...options, { flag: '--help', ...help }],
    values: ARGUMENTS[name] ?? (takesHost ? 'host' : 'none'),
  };
}

/** What a builder takes for yargs, of which only the options are of interest. */
function collector(found: Record<string, Options>): Argv {
  const self: Argv = new Proxy({} as Argv, {
    get: (_target, method) => (options: Record<string, Options>) => {
      if (method === 'options') Object.assign(found, options);
      return self;
    },
  });
  return self;
}
