// All streams between one key of ours and one peer: which stream a message is for, what to answer where there
// is none, of which kind the peer is and whether it is alive, and what goes into the next event. Pure, like
// its streams; encryption, events and relays are in tunnel/.

import { NwsError } from '../../errors.js';
import { EARLY_DATA_BYTES } from '../../limits.js';
import { PlainStrays } from '../plain/plain-strays.js';
import type { RelayPath } from '../relay-path/relay-path.js';
import { RelayPaths } from '../relay-path/relay-paths.js';
import { resetFor } from '../stream/reset.js';
import { RoundTrip } from '../stream/round-trip.js';
import { StreamState } from '../stream/stream-state.js';
import type { PeerKind, StreamOptions } from '../stream/stream-types.js';
import type { Connect, ConnectR, Message } from '../wire/message.js';
import { ControlQueue } from './control-queue.js';
import { Liveness, MAX_ASKED_AFTER } from './liveness.js';
import { type Carrier, type Parcel, pack } from './packer.js';
import { PastStreams } from './past-streams.js';
import { earliestAfter, PeerStreams } from './peer-streams.js';
import type { PeerOptions, PlainParcel } from './peer-types.js';
import { PeerVersion } from './peer-version.js';

export type { Parcel } from './packer.js';
export type { PeerOptions, PlainParcel } from './peer-types.js';

/** What shows that streams are in use. An ACK may be no more than a question whether we are there. */
const TRAFFIC: ReadonlySet<Message['type']> = new Set(['CONNECT', 'OPEN', 'DATA']);

type Shared = Pick<
  StreamOptions,
  'roundTrip' | 'windowBytes' | 'memory' | 'version' | 'direct' | 'now' | 'onTouched'
>;

export class PeerState {
  readonly roundTrip = new RoundTrip();
  readonly streams = new PeerStreams();
  /** What the peer is written in. */
  readonly version: PeerVersion;
  readonly #options: PeerOptions;
  readonly paths = new RelayPaths();
  readonly #onTouched = (key: string): void => this.streams.touch(key);
  readonly #past = new PastStreams();
  readonly #liveness: Liveness;
  /** What belongs to no stream and is said once. */
  readonly control: ControlQueue;
  readonly #strays: PlainStrays;
  #obstacle: NwsError | undefined;
  #kind: PeerKind = 'unknown';
  /** First window that the peer offered to its last new stream. */
  #firstWindow = EARLY_DATA_BYTES;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.version = new PeerVersion(options.version);
    this.#liveness = new Liveness(options.role, options.now);
    this.control = new ControlQueue(options.newKey);
    this.#strays = new PlainStrays(options.memory);
  }

  /** What the peer speaks, as far as it is known. */
  get kind(): PeerKind {
    return this.#kind;
  }

  /** When anything last came from the peer, in ms; before all time where nothing did. */
  get heardAt(): number {
    return this.#liveness.heardAt;
  }

  /** Why the peer may not have heard a question, or we not its answer: said of streams that get none. */
  get obstacle(): NwsError | undefined {
    return this.#obstacle;
  }

  set obstacle(error: NwsError | undefined) {
    const isOther = (this.#obstacle === undefined) !== (error === undefined);
    this.#obstacle = error;
    if (isOther) this.streams.touchUnanswered();
  }

  /**
   * Something else than the peer's messages says whether it speaks reliable streams; that may be out of date.
   * @param version up to which it speaks them
   */
  suggest(reliable: boolean, now: number, version = 1): void {
    if (this.#kind === 'unknown') this.#learn(reliable ? 'reliable' : 'plain', now);
    this.version.suggest(reliable ? version : 0);
  }

  #learn(kind: Exclude<PeerKind, 'unknown'>, now: number): void {
    if (this.#kind === kind) return;
    this.#kind = kind;
    for (const stream of this.streams.values()) stream.learn(kind === 'reliable', now);
    this.streams.touchUnanswered();
  }

  /** Nothing is open, remembered or waiting to be sent. */
  get isIdle(): boolean {
    return this.streams.size === 0 && this.#past.size === 0 && this.control.isEmpty;
  }

  /** Opens a stream as the entry. Early data goes along where the peer is known to speak reliable streams. */
  open(destination: string, now: number, reverse?: StreamOptions['reverse']): StreamState {
    const isReliable = this.#kind === 'reliable';
    const sendLimit = isReliable ? Math.min(EARLY_DATA_BYTES, this.#firstWindow) : 0;
    const key = this.#options.newKey();
    const asked = { key, destination, reverse, sendLimit, peerKind: this.#kind };
    return this.streams.add(StreamState.opening({ ...asked, ...this.#shared(now) }));
  }

  #shared(now: number): Shared {
    const { roundTrip } = this;
    const { windowBytes, memory, version, direct } = this.#options;
    return { roundTrip, windowBytes, memory, version, direct, now, onTouched: this.#onTouched };
  }

  /**
   * Takes one message. Returns the stream that it changed; a new one is in the phase `dialling`.
   * @param fresh the event is young and new, so that it may open a stream
   */
  receive(message: Message, now: number, fresh: boolean): StreamState | undefined {
    // An exit may turn out to be there, which is what streams in the plain way wait for.
    if (!Number.isFinite(this.heardAt)) this.streams.touchUnanswered();
    this.#liveness.heard(now, TRAFFIC.has(message.type));
    // Only those who speak reliable streams send anything but plain data to an entry.
    const isEntry = this.#options.role === 'entry';
    if (isEntry) this.#learn(message.type === 'PLAIN' ? 'plain' : 'reliable', now);
    if (message.type === 'PING') {
      this.control.say({ type: 'PONG', key: message.key });
      return undefined;
    }
    if (message.type === 'PONG') {
      const elapsed = this.control.pong(message.key, now);
      if (elapsed !== undefined) this.roundTrip.sample(elapsed);
      else this.paths.answered(message.key, now);
      return undefined;
    }
    if (message.type === 'PATH') return undefined;
    if ('v' in message && message.v !== undefined) this.version.learn(message.v);
    const stream = this.streams.get(message.key);
    if (stream === undefined) return this.#stray(message, now, fresh);
    if (message.type === 'OPEN') this.#firstWindow = message.window;
    if (message.type === 'RESET') this.#liveness.forgotten(stream.key);
    this.streams.touch(stream.key);
    stream.take(message, now);
    return stream;
  }

  /** A message for a stream that isn't there. */
  #stray(
    message: Exclude<Message, { type: 'PING' | 'PONG' | 'PATH' }>,
    now: number,
    fresh: boolean,
  ): StreamState | undefined {
    if (this.#past.has(message.key)) {
      const late = this.#past.answer(message);
      if (late !== undefined) this.control.answer(late, now);
      return undefined;
    }
    if (message.type === 'CONNECT' || message.type === 'CONNECTR') {
      return this.#incoming(message, now, fresh);
    }
    if (message.type === 'PLAIN') {
      if (this.#options.role === 'exit') this.#strays.keep(message.key, message.data, now);
      return undefined;
    }
    // Both may be ahead of their CONNECT, which then opens nothing, or comes again as the data does.
    if (message.type === 'RESET') this.#past.note(message.key, now);
    if (message.type === 'RESET' || (message.type === 'DATA' && message.offset === 0)) return;
    const error = new NwsError('connection_terminated', 'no such stream here');
    this.control.answer(resetFor(message.key, error), now);
    return undefined;
  }

  #incoming(message: Connect | ConnectR, now: number, fresh: boolean): StreamState | undefined {
    if (this.#options.role === 'entry' || !fresh) return undefined;
    const { key, destination, window: sendLimit = 0 } = message;
    const peerKind = message.v === undefined ? 'plain' : 'reliable';
    const detail = this.streams.objection;
    if (detail !== undefined) {
      const refusal = resetFor(key, new NwsError('connection_limit_reached', detail));
      if (peerKind === 'reliable') this.control.answer(refusal, now);
      return undefined;
    }
    const reverse = message.type === 'CONNECTR' ? message : undefined;
    const asked = { key, destination, reverse, sendLimit, peerKind } as const;
    const stream = this.streams.add(StreamState.dialling({ ...asked, ...this.#shared(now) }));
    const early = [message.data ?? [], this.#strays.claim(key)].flat();
    for (const data of early) stream.take({ type: 'PLAIN', key, data }, now);
    return stream;
  }

  /** Time passes. Returns the streams that it changed. */
  tick(now: number): StreamState[] {
    const changed = this.streams.tick(now, this.heardAt, this.obstacle);
    this.#past.forgetOld(now);
    this.#strays.forgetOld(now);
    if (this.streams.isAskable) changed.push(...this.#checkAlive(now));
    return changed;
  }

  /** Asks a silent peer whether it is there; ends its streams when it stays silent. */
  #checkAlive(now: number): StreamState[] {
    const todo = this.#liveness.check(now);
    if (todo === 'ask') this.probe(now);
    if (todo !== 'gone') return [];
    const gone = [...this.streams.values()].filter(
      ({ phase, isPlain }) => phase !== 'over' && !isPlain,
    );
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
   * restarted answers the acknowledgements of streams that it doesn't know with RESET. Where there are many, each
   * question asks after the next of them.
   */
  probe(now: number): void {
    this.control.ping(now);
    this.#liveness.asked(this.streams.askAfter(MAX_ASKED_AFTER, now), now);
  }

  /** Moves what is over out of `streams`, and remembers it for late repeats. Returns what is over. */
  settle(now: number): StreamState[] {
    const over = this.streams.takeSettled();
    for (const stream of over) this.#past.remember(stream, this.#options.role, now);
    return over;
  }

  /** Something of ours waits for an answer of the peer. */
  get awaitsPeer(): boolean {
    return this.streams.awaitPeer;
  }

  /** Whether `pull` has something now. */
  ready(now: number): boolean {
    return !this.control.isEmpty || !this.streams.ready(now).isEmpty;
  }

  /**
   * The next message for an event of its own; the streams take turns.
   * @param maxBytes the most data in one message, given its destination
   */
  pullPlain(now: number, maxBytes: (destination: string) => number): PlainParcel | undefined {
    return this.streams.pullPlain(now, maxBytes);
  }

  /** What `pullPlain` gave out is with the peer's relays, or with none of them. */
  plainDone({ stream, outgoing }: PlainParcel, ok: boolean, now: number): void {
    stream.plain?.done(outgoing, ok, now);
    this.streams.touch(stream.key);
  }

  /**
   * The messages of the next event, as much as fits `capacityBytes`; empty where there is nothing. For a path beside the
   * one that carries everything, that is bulk data alone, or a question where the peer isn't known to listen there.
   */
  pull(now: number, capacityBytes: number, carrier: Partial<Carrier> = {}): Parcel[] {
    const { path = this.paths.only, isBeside = false, encoding = this.version.encoding } = carrier;
    const { streams, control } = this;
    const flightBytes = this.#options.flightShareBytes();
    const onRepeat = (): void => this.version.doubt();
    const load = { streams, control, path, isBeside, encoding, flightBytes, onRepeat };
    return pack(load, now, capacityBytes);
  }

  /** These did not get through, for certain: a relay refused the event, or went down before it confirmed. */
  lost(parcels: readonly Parcel[], now: number): void {
    for (const { stream, outgoing } of parcels) {
      if (stream === undefined || outgoing === undefined) continue;
      if (outgoing.message === stream.flow.lastWord) this.control.say(outgoing.message);
      else stream.lost(outgoing, now);
      this.streams.touch(stream.key);
    }
  }

  /** This path is gone, or all of them: what is in flight there is sent again. */
  relink(now: number, path?: RelayPath): void {
    this.streams.relink(now, path);
  }

  /**
   * The next time after `now` at which `tick` or `pull` will have something to do without anything else
   * happening, in ms. What is due already waits for a link.
   */
  wakeAt(now: number): number | undefined {
    return earliestAfter(now, [
      this.streams.wakeAt(now),
      this.streams.isAskable ? this.#liveness.wakeAt : undefined,
      this.#past.wakeAt,
      this.#strays.wakeAt,
    ]);
  }
}
