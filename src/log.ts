// The log: pino to stderr, so that stdout carries results alone. Pretty for people, JSON for machines.
// Which level and format is config.ts's matter.

import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogFormat, LogLevel } from './config/config.js';
import { NwsError } from './errors.js';
import { stackOf } from './stack.js';

/** Fields that may hold key material: never written, at the top of a record and one level down. */
const SECRET_FIELDS = ['key', 'secret', 'secretKey', 'privateKey', 'nsec', 'password'];

export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Unset: pretty where `stream` is a terminal, else JSON. */
  readonly format?: LogFormat | undefined;
  readonly stream: LogStream;
}

export function createLog({ level, format: wanted, stream }: LogOptions): Logger {
  const isPretty = wanted === undefined ? stream.isTTY === true : wanted === 'pretty';
  // Formatted and written at once, not in a worker: the last lines before an exit must not get lost.
  const format = prettyFactory({ colorize: stream.isTTY === true });
  const destination = isPretty
    ? { write: (line: string) => void stream.write(format(line)) }
    : stream;
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]);
  return pino(
    {
      level,
      base: null,
      redact: { paths, censor: '[redacted]' },
      serializers: { err: describeError },
    },
    destination,
  );
}

/** Our own errors say all there is to say; the stack of any other shows where the mistake is. */
function describeError(error: unknown): unknown {
  if (!(error instanceof NwsError)) {
    if (!(error instanceof Error)) return error;
    return { ...pino.stdSerializers.err(error), stack: stackOf(error) };
  }
  return { code: error.code, message: error.message, hint: error.hint };
}
