// What became of the streams of a process: a line in the log for each, and sums for metrics. Never what they carried.

import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type ErrorCode, type NwsError, toNwsError } from '../errors.js';
import type { StreamEvent, StreamFacts } from './events.js';

/** What became of all streams so far. */
export interface Sums {
  /** Streams that were opened, so far. */
  readonly opened: number;
  /** Streams that are open now. */
  readonly open: number;
  /** Streams that were not opened, by reason. */
  readonly refused: Readonly<Partial<Record<ErrorCode, number>>>;
  /**
   * Streams that were broken off, by reason. An entry that doesn't wait for the exit's answer counts a late refusal
   * here, too.
   */
  readonly failed: Readonly<Partial<Record<ErrorCode, number>>>;
  /** From clients to destinations, of streams that have ended. */
  readonly bytesUp: number;
  /** The way back. */
  readonly bytesDown: number;
}

/** A stream that counts its own bytes, as sockets do. */
type Counting = Duplex & { readonly bytesRead?: number; readonly bytesWritten?: number };

/** A destination is a stranger's text: so much of it is logged. */
const MAX_SHOWN = 256;

export class Accounts {
  readonly #log: Logger;
  readonly #tell: ((event: StreamEvent) => void) | undefined;
  /** Whether what is read from streams comes from clients. */
  readonly #role: 'entry' | 'exit';
  readonly #refused: Partial<Record<ErrorCode, number>> = {};
  readonly #failed: Partial<Record<ErrorCode, number>> = {};
  #opened = 0;
  #open = 0;
  #bytesUp = 0;
  #bytesDown = 0;

  constructor(role: 'entry' | 'exit', log: Logger, tell?: (event: StreamEvent) => void) {
    this.#role = role;
    this.#log = log;
    this.#tell = tell;
  }

  get sums(): Sums {
    return {
      opened: this.#opened,
      open: this.#open,
      refused: { ...this.#refused },
      failed: { ...this.#failed },
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
    };
  }

  /** A stream was asked for and isn't to be had. */
  refused(facts: StreamFacts, { code, message, cause }: NwsError): void {
    this.#refused[code] = (this.#refused[code] ?? 0) + 1;
    // What only the operator may know.
    const reason = cause instanceof Error ? cause.message : undefined;
    this.#log.info({ ...shown(facts), code, reason }, `stream refused: ${message}`);
    this.#tell?.({ ...shown(facts), state: 'refused', code, message });
  }

  /** A stream is open; its line is written when it closes. */
  opened(facts: StreamFacts, stream: Counting): void {
    this.#opened += 1;
    this.#open += 1;
    this.#log.debug(shown(facts), 'stream opened');
    this.#tell?.({ ...shown(facts), state: 'opened' });
    const openedAt = performance.now();
    const ended = (): void => this.#ended(facts, stream, performance.now() - openedAt);
    if (stream.closed) ended();
    else stream.once('close', ended);
  }

  #ended(facts: StreamFacts, stream: Counting, durationMs: number): void {
    this.#open -= 1;
    const { bytesRead = 0, bytesWritten = 0 } = stream;
    const [bytesUp, bytesDown] =
      this.#role === 'exit' ? [bytesRead, bytesWritten] : [bytesWritten, bytesRead];
    this.#bytesUp += bytesUp;
    this.#bytesDown += bytesDown;
    const code = failureOf(stream);
    if (code !== undefined) this.#failed[code] = (this.#failed[code] ?? 0) + 1;
    const line = { ...shown(facts), bytesUp, bytesDown, durationMs: Math.round(durationMs), code };
    this.#log.info(line, 'stream ended');
    this.#tell?.({ ...line, state: 'ended' });
  }
}

/** Why a stream was broken off. One that this side had ended may be left without the other's end. */
function failureOf(stream: Duplex): ErrorCode | undefined {
  if (stream.errored) return toNwsError(stream.errored, 'connection_terminated').code;
  return stream.writableEnded ? undefined : 'connection_terminated';
}

function shown({ stream, peer, destination, way = 'relay' }: StreamFacts): StreamFacts {
  return { stream, peer, destination: destination.slice(0, MAX_SHOWN), way };
}
