// What a command is made of. Which ones there are is in commands.ts.

import type { Argv } from 'yargs';
import type { Flags, Io } from './io.js';

export interface CommandBody {
  /** Declares the command's options and worked examples. */
  readonly builder: (yargs: Argv) => Argv;
  readonly handler: (flags: Flags) => Promise<void>;
}

export interface Command {
  /** As yargs reads it: the name, and what stands behind it. */
  readonly usage: string;
  readonly describe: string;
  readonly load: (io: Io) => Promise<CommandBody>;
}

/** The word that a user types for a command. */
export function nameOf({ usage }: Command): string {
  return usage.split(' ', 1)[0]!;
}
