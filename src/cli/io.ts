// What a command knows of the process around it, and how it writes. main.ts makes the real one,
// tests make their own.

import type { EventEmitter } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Logger } from 'pino';
import type { BaseConfig } from '../config/config.js';
import { badSetting, type Sources } from '../config/env.js';
import { createLog, type LogStream } from '../log.js';
import { curveInUse } from '../secp256k1/secp256k1.js';
import { BUG_HINT } from '../stack.js';

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly userHome: string;
  readonly platform: NodeJS.Platform;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Emits 'signal' with SIGINT, SIGTERM or SIGHUP. */
  readonly signals: EventEmitter<{ signal: [NodeJS.Signals] }>;
  /** What is to be done when a mistake of ours ends the process: said where it was, told to peers. */
  readonly onCrash: Set<(error: Error) => void | Promise<void>>;
  /** Status to leave with when the command ends without an error. */
  exitStatus: number;
}

export type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Parsed arguments of a command, by their dashed names. */
export type Flags = Readonly<Record<string, unknown>>;

/** Everything that a setting may come from. */
export async function sourcesOf(io: Io, flags: Flags): Promise<Sources> {
  const { env, cwd, userHome, platform } = io;
  return { flags, env, cwd, userHome, platform, dotenv: await readDotenv(cwd) };
}

/**
 * The log of a command. Says first what the user should know about the settings.
 * @param stream where it goes: stderr, or what shows a line there that the log mustn't run into
 */
export function openLog(io: Io, config: BaseConfig, stream: LogStream = io.stderr): Logger {
  const { logLevel: level, logFormat: format, warnings } = config;
  const log = createLog({ level, format, stream });
  for (const warning of warnings) log.warn(warning);
  if (log.isLevelEnabled('debug')) {
    const { curve, reason } = curveInUse();
    log.debug({ secp256k1: curve.name, reason }, 'curve arithmetic');
  }
  io.onCrash.add((err) => log.error({ err, hint: BUG_HINT }, 'a bug ends this process'));
  return log;
}

/** Makes the folder for keys and certificates, for this user alone. @throws NwsError `bad_config` */
export async function makeHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    const hint = 'name another folder with --home or NWS_HOME';
    throw badSetting(`can't make the folder ${home} (${codeOf(error)})`, hint, error);
  }
}

/** Prints a result: one JSON document or line with `--json`, else text for people. */
export function print(io: Io, flags: Flags, result: object, text: string): void {
  io.stdout.write(`${flags.json === true ? JSON.stringify(result) : text}\n`);
}

async function readDotenv(cwd: string): Promise<string | undefined> {
  const path = join(cwd, '.env');
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // A folder of this name is somebody else's; so is none.
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw badSetting(
      `can't read ${path} (${codeOf(error)})`,
      'make it readable or remove it',
      error,
    );
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
