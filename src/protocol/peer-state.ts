// All reliable streams between one key of ours and one peer: which stream a message is for, what to answer
// where there is none, whether the peer is alive, and what goes into the next event. Pure, like its streams;
// encryption, events and relays are in tunnel/.

import { NwsError } from '../errors.js';
import { EARLY_DATA_BYTES, MAX_STREAMS_PER_PEER } from '../limits.js';
import { FlightLimit } from './flight-limit.js';
import { Liveness } from './liveness.js';
import type { Connect, Message } from './message.js';
import { type Parcel, pack } from './packer.js';
import { PastStreams } from './past-streams.js';
import { RateLimit } from './rate-limit.js';
import type { Memory } from './receive-half.js';
import { resetFor } from './reset.js';
import { RoundTrip } from './round-trip.js';
import { StreamState } from './stream-state.js';
import type { StreamOptions } from './stream-types.js';

export type { Parcel } from './packer.js';

/** Answers about streams that nobody knows, a second: enough after a restart, too few to be worth provoking. */
const STRAY_ANSWERS_PER_S = 32;
/** Messages that belong to no stream and wait to be sent. */
const MAX_CONTROL = 256;
/** Streams of one peer whose target is still being dialled. */
const MAX_UNANSWERED = 128;
/** What shows that streams are in use. An ACK may be no more than a question whether we are there. */
const TRAFFIC: ReadonlySet<Message['type']> = new Set(['CONNECT', 'OPEN', 'DATA']);

export interface PeerOptions {
  readonly role: 'entry' | 'exit';
  /** How much may be in flight toward us on one stream now, in bytes. */
  readonly windowBytes: () => number;
  /** For what arrives and is not yet taken. */
  readonly memory: Memory;
  /** How much may be on its way to this peer, as far as memory goes, in bytes. */
  readonly flightShareBytes: () => number;
  /** A fresh random UUID. */
  readonly newKey: () => string;
  readonly now: number;
}

export class PeerState {
  readonly roundTrip = new RoundTrip();
  /** Streams that are not over, or have still to say so. */
  readonly streams = new Map<string, StreamState>();
  readonly #options: PeerOptions;
  /** How much may be on its way to the peer. */
  readonly flight = new FlightLimit(this.roundTrip);
  readonly #past = new PastStreams();
  readonly #liveness: Liveness;
  readonly #control: Message[] = [];
  #ping: { readonly key: string; readonly sentAt: number } | undefined;
  readonly #strays = new RateLimit(STRAY_ANSWERS_PER_S);
  /** Whether the peer is known to speak reliable streams. */
  reliable: boolean | undefined;
  /** First window that the peer offered to its last new stream. */
  #firstWindow = EARLY_DATA_BYTES;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#liveness = new Liveness(options.role, options.now);
  }

  /** Nothing is open, remembered or waiting to be sent. */
  get isIdle(): boolean {
    return this.streams.size === 0 && this.#past.size === 0 && this.#control.length === 0;
  }

  /** Opens a stream as the entry. Early data goes along where the peer is known to speak reliable streams. */
  open(destination: string, now: number): StreamState {
    const limit = this.reliable ? Math.min(EARLY_DATA_BYTES, this.#firstWindow) : 0;
    const key = this.#options.newKey();
    return this.#add(StreamState.opening(this.#streamOptions(key, destination, limit, now)));
  }

  #streamOptions(key: string, destination: string, sendLimit: number, now: number): StreamOptions {
    const { windowBytes, memory } = this.#options;
    return { key, destination, roundTrip: this.roundTrip, windowBytes, memory, sendLimit, now };
  }

  #add(stream: StreamState): StreamState {
    this.streams.set(stream.key, stream);
    return stream;
  }

  /**
   * Takes one message. Returns the stream that it changed; a new one is in the phase `dialling`.
   * @param fresh the event is young and new, so that it may open a stream
   */
  receive(message: Message, now: number, fresh: boolean): StreamState | undefined {
    this.#liveness.heard(now, TRAFFIC.has(message.type));
    switch (message.type) {
      case 'PING':
        this.#say({ type: 'PONG', key: message.key });
        return undefined;
      case 'PONG':
        if (this.#ping?.key === message.key) this.roundTrip.sample(now - this.#ping.sentAt);
        this.#ping = undefined;
        return undefined;
      // Opened by other parts of the program, or not at all.
      case 'PLAIN':
      case 'CONNECTR':
        return undefined;
    }
    const stream = this.streams.get(message.key);
    if (stream === undefined) return this.#stray(message, now, fresh);
    if (message.type === 'OPEN') this.#firstWindow = message.window;
    if (stream.phase === 'opening' && message.type !== 'CONNECT') this.reliable = true;
    stream.take(message, now);
    this.flight.update(now);
    return stream;
  }

  /** A message for a stream that isn't there. */
  #stray(
    message: Exclude<Message, { type: 'PLAIN' | 'CONNECTR' | 'PING' | 'PONG' }>,
    now: number,
    fresh: boolean,
  ) {
    const late = this.#past.answer(message.key);
    if (late !== undefined) {
      // An ACK is no question, unless it shows that the peer never heard of the end.
      const asks = message.type === 'ACK' ? late.type === 'RESET' : message.type !== 'RESET';
      if (asks) this.#answer(late, now);
      return undefined;
    }
    if (message.type === 'CONNECT') return this.#incoming(message, now, fresh);
    // Data at offset 0 may be ahead of its CONNECT, and comes again.
    if (message.type === 'RESET' || (message.type === 'DATA' && message.offset === 0))
      return undefined;
    this.#answer(
      resetFor(message.key, new NwsError('connection_terminated', 'no such stream here')),
      now,
    );
    return undefined;
  }

  #incoming(message: Connect, now: number, fresh: boolean): StreamState | undefined {
    if (this.#options.role === 'entry' || message.v === undefined || !fresh) return undefined;
    const { key, destination } = message;
    const detail = this.#objection();
    if (detail !== undefined) {
      this.#answer(resetFor(key, new NwsError('connection_limit_reached', detail)), now);
      return undefined;
    }
    const options = this.#streamOptions(key, destination, message.window ?? 0, now);
    return this.#add(StreamState.dialling(options));
  }

  /** Why this peer gets no further stream now. */
  #objection(): string | undefined {
    if (this.streams.size >= MAX_STREAMS_PER_PEER) {
      return `more than ${MAX_STREAMS_PER_PEER} streams at once`;
    }
    let unanswered = 0;
    for (const { phase } of this.streams.values()) if (phase === 'dialling') unanswered += 1;
    return unanswered < MAX_UNANSWERED
      ? undefined
      : `more than ${MAX_UNANSWERED} unanswered streams`;
  }

  #answer(message: Message, now: number): void {
    if (this.#strays.allows(now)) this.#say(message);
  }

  #say(message: Message): void {
    if (this.#control.length < MAX_CONTROL) this.#control.push(message);
  }

  /** Time passes. Returns the streams that it changed. */
  tick(now: number): StreamState[] {
    const changed: StreamState[] = [];
    for (const stream of this.streams.values()) {
      const before = stream.phase;
      stream.tick(now, this.#liveness.heardAt);
      if (stream.phase !== before) changed.push(stream);
    }
    this.#past.forgetOld(now);
    if (this.streams.size > 0) changed.push(...this.#checkAlive(now));
    return changed;
  }

  /** Asks a silent peer whether it is there; ends its streams when it stays silent. */
  #checkAlive(now: number): StreamState[] {
    const todo = this.#liveness.check(now);
    if (todo === 'ask') this.probe(now);
    if (todo !== 'gone') return [];
    const gone = [...this.streams.values()].filter((stream) => stream.phase !== 'over');
    for (const stream of gone) {
      stream.reset(
        new NwsError('connection_terminated', 'the peer is gone: it answers nothing'),
        now,
      );
    }
    return gone;
  }

  /**
   * Asks the peer whether it is there and still knows our streams: a PONG says the one, and a peer that was
   * restarted answers the acknowledgements of streams that it doesn't know with RESET.
   */
  probe(now: number): void {
    this.ping(now);
    for (const { phase, receive } of this.streams.values()) {
      if (phase === 'open') receive.acknowledge(now);
    }
  }

  /** Asks the peer whether it is there. */
  ping(now: number): void {
    const key = this.#options.newKey();
    this.#ping = { key, sentAt: now };
    this.#say({ type: 'PING', key });
  }

  /** Moves what is over out of `streams`, and remembers it for late repeats. Returns what is over. */
  settle(now: number): StreamState[] {
    const over: StreamState[] = [];
    for (const [key, stream] of this.streams) {
      stream.settle();
      if (!stream.isSettled) continue;
      this.streams.delete(key);
      stream.receive.discard();
      over.push(stream);
      this.#past.remember(stream, now);
    }
    return over;
  }

  /** Something of ours waits for an answer of the peer. */
  get awaitsPeer(): boolean {
    for (const { phase, send } of this.streams.values()) {
      if (phase === 'opening' || (phase === 'open' && send.awaitsPeer)) return true;
    }
    return false;
  }

  /** Whether `pull` has something now. */
  ready(now: number): boolean {
    if (this.#control.length > 0) return true;
    for (const stream of this.streams.values()) {
      if (stream.hasData || stream.urgent(now)) return true;
    }
    return false;
  }

  /** The messages of the next event, as much as fits `capacityBytes` of JSON; empty where there is nothing. */
  pull(now: number, capacityBytes: number): Parcel[] {
    const { flight, streams } = this;
    const control = this.#control;
    const ping = (): void => this.ping(now);
    const flightBytes = Math.min(flight.bytes, this.#options.flightShareBytes());
    return pack({ streams, control, flight, flightBytes, ping }, now, capacityBytes);
  }

  /** These did not get through, for certain: a relay refused the event, or went down before it confirmed. */
  lost(parcels: readonly Parcel[], now: number): void {
    for (const { stream, outgoing } of parcels) {
      if (stream !== undefined && outgoing !== undefined) stream.lost(outgoing, now);
    }
  }

  /** The link to this peer was replaced: what is in flight is sent again. */
  relink(now: number): void {
    for (const stream of this.streams.values()) stream.relink(now);
  }

  /**
   * The next time after `now` at which `tick` or `pull` will have something to do without anything else
   * happening, in ms. What is due already waits for a link.
   */
  wakeAt(now: number): number | undefined {
    let earliest: number | undefined;
    const consider = (time: number | undefined): void => {
      if (time === undefined || time <= now) return;
      if (earliest === undefined || time < earliest) earliest = time;
    };
    for (const stream of this.streams.values()) stream.wakeTimes.forEach(consider);
    if (this.streams.size > 0) consider(this.#liveness.wakeAt);
    consider(this.#past.wakeAt);
    return earliest;
  }
}
