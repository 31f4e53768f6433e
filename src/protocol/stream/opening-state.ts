// The entry's side of a stream until the exit has answered: when to ask, how, and when to give up; and the answer. Pure.

import { NwsError } from '../../errors.js';
import { STREAM_VERSION } from '../../limits.js';
import { isNostrHost } from '../names/address.js';
import type { PlainTrial } from '../plain/plain-lane.js';
import type { Connect, ConnectR, Open, Ping } from '../wire/message.js';
import type { RoundTrip } from './round-trip.js';
import type { PeerKind, StreamOptions } from './stream-types.js';
import {
  MAX_CONNECT_PAUSE_MS,
  MAX_FIRST_SAMPLE_MS,
  OPEN_TIMEOUT_MS,
  PLAIN_LEARNED_MS,
  PLAIN_TRIALS_MS,
  PLAIN_WAIT_MS,
  SILENT_EXIT_MS,
  SILENT_PLAIN_MS,
} from './timeouts.js';

export class OpeningState {
  readonly #options: StreamOptions;
  readonly #roundTrip: RoundTrip;
  #peerKind: PeerKind;
  #dueAt: number | undefined;
  #attempts = 0;
  #plainAt: number;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#roundTrip = options.roundTrip;
    this.#peerKind = options.peerKind;
    this.#dueAt = options.peerKind === 'plain' ? undefined : options.now;
    this.#plainAt = options.now + (options.peerKind === 'plain' ? 0 : PLAIN_WAIT_MS);
  }

  /** How often the exit was asked. */
  get attempts(): number {
    return this.#attempts;
  }

  isDue(now: number): boolean {
    return this.#dueAt !== undefined && now >= this.#dueAt;
  }

  /** A NIP-443 peer reads one message an event, so the first word to an unknown one goes alone. */
  get goesAlone(): boolean {
    return this.#peerKind === 'unknown' && this.#attempts === 0;
  }

  /** A relay refused the question. */
  refused(now: number): void {
    // An unknown exit has had none yet, then.
    if (this.#peerKind === 'unknown' && this.#attempts === 1) this.#attempts = 0;
    this.askAgain(now);
  }

  /** What was asked may be lost: it is asked again. */
  askAgain(now: number): void {
    if (this.#peerKind !== 'plain') this.#dueAt = now;
  }

  /** The next question; the one after it waits longer. */
  pull(now: number, window: number): Connect | ConnectR | Ping {
    const { key } = this.#options;
    this.#attempts += 1;
    const pauseMs = this.#roundTrip.timeoutMs(this.#attempts);
    const longestMs = Math.max(MAX_CONNECT_PAUSE_MS, this.#roundTrip.timeoutMs(1));
    this.#dueAt = now + Math.min(pauseMs, longestMs);
    // A NIP-443 exit would connect to its target once more for every CONNECT, so an unknown one gets only one.
    if (this.#peerKind === 'unknown' && this.#attempts > 1) return { type: 'PING', key };
    const isReliable = this.#peerKind === 'reliable';
    return this.#question(isReliable ? this.#options.destination : this.plainName, window);
  }

  /** The question to an exit of NIP-443; undefined where it has had it. */
  plainQuestion(window: number): Connect | ConnectR | undefined {
    return this.#peerKind === 'unknown' ? undefined : this.#question(this.plainName, window);
  }

  #question(destination: string, window: number): Connect | ConnectR {
    const { key, reverse, version = STREAM_VERSION } = this.#options;
    const base = { key, destination, v: version, window };
    if (reverse === undefined) return { type: 'CONNECT', ...base };
    return { type: 'CONNECTR', ...base, ...reverse };
  }

  /** The exit's word that it is open. */
  answer(window: number): Open {
    const { key, version: v = STREAM_VERSION, direct } = this.#options;
    return { type: 'OPEN', key, v, window, ...(direct && { direct }) };
  }

  /** The Go program sends and knows names of exits without a port. */
  get plainName(): string {
    const { destination } = this.#options;
    const host = destination.replace(/:\d+$/, '');
    return isNostrHost(host) ? host : destination;
  }

  /** The peer speaks reliable streams, but has not answered; or its own events say that it knows NIP-443 alone. */
  learn(reliable: boolean, now: number): void {
    if (reliable && this.#peerKind !== 'reliable') {
      // It may not have heard the question.
      this.#peerKind = 'reliable';
      this.#dueAt = now;
      this.#plainAt = now + PLAIN_WAIT_MS;
    } else if (!reliable && this.#peerKind === 'unknown') {
      this.#plainAt = Math.min(this.#plainAt, now + PLAIN_LEARNED_MS);
    }
  }

  /** Whether to try it in the plain way now; once it answers otherwise, that counts. */
  isPlainDue(now: number): boolean {
    // The secret of a reverse connection is for exits that understand it.
    return this.#options.reverse?.secret === undefined && now >= this.#plainAt;
  }

  /** How the plain way is tried before it counts for good; undefined: only the peer's own plain data settles it. */
  get plainTrial(): PlainTrial | undefined {
    const ms = PLAIN_TRIALS_MS[this.#peerKind];
    return ms === undefined ? undefined : { ms, isKnown: this.#peerKind === 'plain' };
  }

  /** The answer is there: how long it took counts where that tells of the way and not of the exit's dialling. */
  answered(now: number): void {
    const elapsedMs = now - this.#options.now;
    if (this.#attempts === 1 && elapsedMs < MAX_FIRST_SAMPLE_MS) this.#roundTrip.sample(elapsedMs);
  }

  /**
   * Why it is time to give up, if it is.
   * @param peerHeardAt when anything last came from the peer
   */
  failure(now: number, peerHeardAt: number): NwsError | undefined {
    const waitedMs = now - this.#options.now;
    if (waitedMs >= OPEN_TIMEOUT_MS) {
      return new NwsError('connection_timeout', 'the exit did not reach its target in time');
    }
    if (waitedMs < this.#patienceMs || peerHeardAt > this.#options.now) return undefined;
    const hint = 'check that the exit runs and uses one of these relays';
    return new NwsError('exit_unreachable', 'no answer from the exit', { hint });
  }

  get #patienceMs(): number {
    return this.#peerKind === 'reliable' ? SILENT_EXIT_MS : SILENT_PLAIN_MS;
  }

  get wakeTimes(): readonly (number | undefined)[] {
    const { now } = this.#options;
    return [this.#dueAt, this.#plainAt, now + this.#patienceMs, now + OPEN_TIMEOUT_MS];
  }
}
