// What became of the streams of a process: a line in the log for each, sums for metrics, and what is open now. Never
// what they carried.

import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type ErrorCode, NwsError, toNwsError } from '../../errors.js';
import type { StreamEvent } from '../events.js';
import { Failures } from './failures.js';
import {
  type Bytes,
  type Counting,
  OpenStream,
  type StreamFacts,
  shown,
  type Way,
} from './open-stream.js';
import { Tallies } from './tallies.js';

export type { Failure } from './failures.js';
export type { Bytes, OpenStream, StreamFacts, Way } from './open-stream.js';
export type { Tally } from './tallies.js';

/** What became of all streams so far. */
export interface Sums extends Bytes {
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

/** What went one way so far, over streams that are open and that have ended. */
export interface WaySums extends Bytes {
  readonly opened: number;
  readonly open: number;
}

/** Of streams that have ended. */
interface Ended {
  opened: number;
  bytesUp: number;
  bytesDown: number;
}

export class Accounts {
  /** Of the last hour: whoever knows of a failure that isn't one of a stream notes it here, too. */
  readonly failures = new Failures();
  /** By the other side's pubkey. */
  readonly peers = new Tallies();
  readonly destinations = new Tallies();
  readonly #log: Logger;
  readonly #tell: ((event: StreamEvent) => void) | undefined;
  readonly #role: 'entry' | 'exit';
  readonly #refused: Partial<Record<ErrorCode, number>> = {};
  readonly #failed: Partial<Record<ErrorCode, number>> = {};
  /** In the order in which they were opened. */
  readonly #streams = new Set<OpenStream>();
  readonly #ways = new Map<Way, Ended>();
  #lastId = 0;

  /** @param role what is read from an exit's streams comes from clients */
  constructor(role: 'entry' | 'exit', log: Logger, tell?: (event: StreamEvent) => void) {
    this.#role = role;
    this.#log = log;
    this.#tell = tell;
  }

  get sums(): Sums {
    const ended = [...this.#ways.values()];
    return {
      opened: ended.reduce((sum, { opened }) => sum + opened, 0),
      open: this.#streams.size,
      refused: { ...this.#refused },
      failed: { ...this.#failed },
      bytesUp: ended.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
      bytesDown: ended.reduce((sum, { bytesDown }) => sum + bytesDown, 0),
    };
  }

  /** Streams that are open now, the oldest first. */
  get streams(): Iterable<OpenStream> {
    return this.#streams;
  }

  /** By way: what has passed so far, up to this moment. Takes time with every stream that is open. */
  get ways(): ReadonlyMap<Way, WaySums> {
    const sums = new Map([...this.#ways].map(([way, ended]) => [way, { ...ended, open: 0 }]));
    for (const { way, bytes } of this.#streams) {
      const sum = sums.get(way)!;
      sum.open += 1;
      sum.bytesUp += bytes.bytesUp;
      sum.bytesDown += bytes.bytesDown;
    }
    return sums;
  }

  /** A stream was asked for and isn't to be had. */
  refused(facts: StreamFacts, error: NwsError): void {
    const { code, message, cause } = error;
    const { peer, destination } = shown(facts);
    this.#refused[code] = (this.#refused[code] ?? 0) + 1;
    this.peers.refused(peer);
    this.destinations.refused(destination);
    // An entry tells of the request that failed by it.
    if (this.#role === 'exit') this.failures.note(error, destination);
    // What only the operator may know.
    const reason = cause instanceof Error ? cause.message : undefined;
    this.#log.info({ ...shown(facts), code, reason }, `stream refused: ${message}`);
    this.#tell?.({ ...shown(facts), state: 'refused', code, message });
  }

  /** A stream is open; its line is written when it closes. */
  opened(facts: StreamFacts, stream: Counting): void {
    const open = new OpenStream(++this.#lastId, facts, stream, this.#role);
    this.#streams.add(open);
    this.#sumsOf(open.way).opened += 1;
    this.peers.opened(open.peer);
    this.destinations.opened(open.destination);
    this.#log.debug(shown(facts), 'stream opened');
    this.#tell?.({ ...shown(facts), state: 'opened' });
    const ended = (): void => this.#ended(open, facts, stream);
    if (stream.closed) ended();
    else stream.once('close', ended);
  }

  #ended(open: OpenStream, facts: StreamFacts, stream: Counting): void {
    this.#streams.delete(open);
    const { bytes, way, peer, destination, ageMs } = open;
    const sums = this.#sumsOf(way);
    sums.bytesUp += bytes.bytesUp;
    sums.bytesDown += bytes.bytesDown;
    this.peers.ended(peer, bytes);
    this.destinations.ended(destination, bytes);
    const failure = failureOf(stream);
    const code = failure?.code;
    if (failure !== undefined) {
      this.#failed[failure.code] = (this.#failed[failure.code] ?? 0) + 1;
      // A client that has had enough is no failure.
      const isAbout = this.#role === 'exit' && failure.code !== 'connection_terminated';
      if (isAbout) this.failures.note(failure, destination);
    }
    const line = { ...shown(facts), ...bytes, durationMs: Math.round(ageMs), code };
    this.#log.info(line, 'stream ended');
    this.#tell?.({ ...line, state: 'ended' });
  }

  #sumsOf(way: Way): Ended {
    const known = this.#ways.get(way);
    if (known !== undefined) return known;
    const sums = { opened: 0, bytesUp: 0, bytesDown: 0 };
    this.#ways.set(way, sums);
    return sums;
  }
}

/** Why a stream was broken off. One that this side had ended may be left without the other's end. */
function failureOf(stream: Duplex): NwsError | undefined {
  if (stream.errored) return toNwsError(stream.errored, 'connection_terminated');
  if (stream.writableEnded) return undefined;
  return new NwsError('connection_terminated', 'the stream was broken off');
}
