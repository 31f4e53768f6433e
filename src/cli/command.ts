// What a command is made of, apart from its name and what it does in one line (commands.ts).

import type { Argv } from 'yargs';
import type { Flags } from './io.js';

export interface CommandBody {
  /** Declares the command's options and worked examples. */
  readonly builder: (yargs: Argv) => Argv;
  readonly handler: (flags: Flags) => Promise<void>;
}
