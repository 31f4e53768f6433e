// The shell around one peer's state machine: gives it what arrives and the time, and brings its Duplex streams up
// to date. What it has to say goes out by sending/publisher.
//
//   TunnelStream ⇄ StreamState ─ PeerState ─ Publisher ─ relays

import type { Logger } from 'pino';
import { WakeTimer } from '../common/wake-timer.js';
import type { Signer } from '../crypto/signer.js';
import type { NwsError } from '../errors.js';
import { PeerState } from '../protocol/peer/peer-state.js';
import { SMALL_BYTES } from '../protocol/peer/ready-queues.js';
import type { StreamState } from '../protocol/stream/stream-state.js';
import type { StreamOptions } from '../protocol/stream/stream-types.js';
import { FRAMES_VERSION } from '../protocol/wire/encoding.js';
import type { Message, Path } from '../protocol/wire/message.js';
import type { RelayLink } from '../relay/link.js';
import { TunnelStream } from './duplex/stream.js';
import type { SessionMemory } from './memory/session-memory.js';
import type { WindowShare } from './memory/window-share.js';
import type { Received } from './receiving/reception.js';
import { Echoes } from './sending/echoes.js';
import { PlainSender, type Refusal } from './sending/plain-sender.js';
import { Publisher } from './sending/publisher.js';
import type { Route } from './sending/route.js';
import { Sealer } from './sending/sealer.js';

export interface PeerOptions {
  readonly role: 'entry' | 'exit';
  /** Of reliable streams, up to which we speak them; default: the newest. */
  readonly version: number | undefined;
  readonly signer: Signer;
  readonly pubkey: string;
  readonly route: Route;
  readonly windows: WindowShare;
  readonly memory: SessionMemory;
  readonly newKey: () => string;
  readonly log: Logger;
  /** There is something to send. */
  readonly onReady: (peer: Peer) => void;
  /** A stream was asked for; its phase is `dialling`. */
  readonly onIncoming: (peer: Peer, stream: StreamState) => void;
  /** As an exit: takes part in looking for direct paths. */
  readonly direct?: boolean | undefined;
  /** PATH of the peer. */
  readonly onPath?: ((peer: Peer, message: Path, isFresh: boolean) => void) | undefined;
  /** The exit says that it takes part in looking for direct paths. */
  readonly onOffer?: ((peer: Peer) => void) | undefined;
  /** Nothing is open or remembered any more. */
  readonly onIdle: (peer: Peer) => void;
}

export class Peer {
  readonly state: PeerState;
  readonly signer: Signer;
  readonly pubkey: string;
  readonly route: Route;
  readonly #options: PeerOptions;
  readonly #streams = new Map<string, TunnelStream>();
  /** Told when a stream that the exit hasn't answered yet, or that the entry waits for, changes. */
  readonly #watchers = new Map<string, () => void>();
  readonly #plain: PlainSender;
  readonly #sealer: Sealer;
  readonly #publisher: Publisher;
  /** Who waits for a PONG. */
  readonly #pings: (() => void)[] = [];
  readonly #timer = new WakeTimer(() => this.update());
  #isClosed = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.signer = options.signer;
    this.pubkey = options.pubkey;
    this.route = options.route;
    this.state = new PeerState({
      role: options.role,
      version: options.version,
      windowBytes: () =>
        Math.min(options.windows.windowBytes, this.state.version.encoding.maxWindowBytes),
      memory: options.memory.of(this),
      flightShareBytes: () => options.memory.flightShareBytes,
      newKey: options.newKey,
      direct: options.direct,
      now: performance.now(),
    });
    const { role, signer, pubkey, route } = options;
    this.#sealer = new Sealer(signer, pubkey);
    this.#plain = new PlainSender({
      state: this.state,
      route,
      sealer: this.#sealer,
      // The Go program's exit handles events side by side, its entry one after the other.
      echoes: role === 'entry' ? new Echoes(signer.pubkey, pubkey) : undefined,
      onDone: (stream, refusal) => this.#plainDone(stream, refusal),
    });
    this.#publisher = new Publisher({
      state: this.state,
      route,
      sealer: this.#sealer,
      plain: this.#plain,
      log: options.log,
      onChanged: (stream) => this.#changed(stream),
      onLost: () => this.update(),
    });
  }

  /** Opens a stream as the entry; `changed` is called at every change until it is open or over. */
  open(destination: string, changed: () => void, reverse?: StreamOptions['reverse']): StreamState {
    const stream = this.#ask(destination, reverse);
    this.watch(stream, changed);
    this.update();
    return stream;
  }

  /** Opens a stream as the entry and doesn't wait for the exit's answer. */
  openEarly(destination: string): TunnelStream {
    return this.attach(this.#ask(destination));
  }

  #ask(destination: string, reverse?: StreamOptions['reverse']): StreamState {
    this.route.forgetMute();
    const stream = this.state.open(destination, performance.now(), reverse);
    const way = reverse === undefined ? 'relay' : 'reverse';
    const { log } = this.#options;
    log.debug({ stream: stream.key, peer: this.pubkey, destination, way }, 'stream asked for');
    return stream;
  }

  watch(stream: StreamState, changed: () => void): void {
    this.#watchers.set(stream.key, changed);
  }

  /** The Duplex of a stream that is open, or will be. */
  attach(state: StreamState): TunnelStream {
    const stream = new TunnelStream(state, () => this.#options.onReady(this));
    // It may fail before anybody has it in hands, who then finds it destroyed.
    stream.on('error', () => undefined);
    this.#watchers.delete(state.key);
    this.#streams.set(state.key, stream);
    stream.on('close', () => this.#options.onReady(this));
    this.#options.onReady(this);
    return stream;
  }

  /**
   * Takes the messages of one event that came over `link`.
   * @param fresh the event is young enough to open a stream
   */
  receive({ messages, scheme, isFrame }: Received, fresh: boolean, link: RelayLink): void {
    const now = performance.now();
    this.#publisher.heard(link);
    this.#sealer.scheme = scheme;
    if (isFrame) this.state.version.learn(FRAMES_VERSION);
    const follows = this.#options.role === 'exit' && !messages.every(isForAnyWay);
    this.route.heard(link, follows, now);
    for (const message of messages) {
      if (message.type === 'PONG') for (const heard of this.#pings.splice(0)) heard();
      if (message.type === 'PATH') this.#options.onPath?.(this, message, fresh);
      const known = this.state.streams.has(message.key);
      const stream = this.state.receive(message, now, fresh);
      if (stream === undefined) continue;
      if (message.type === 'DATA') {
        this.#options.windows.touch(stream, message.data.length, now);
      }
      if (!known && stream.phase === 'dialling') this.#options.onIncoming(this, stream);
      this.#changed(stream);
      if (message.type === 'OPEN' && message.direct) this.#options.onOffer?.(this);
    }
    this.update();
  }

  #changed(stream: StreamState): void {
    this.#streams.get(stream.key)?.sync();
    this.#watchers.get(stream.key)?.();
  }

  /** Looks after the streams, and asks to be pumped if there is something to send. */
  update(): void {
    this.settle();
    if (this.state.ready(performance.now())) this.#options.onReady(this);
  }

  /** Lets time pass, takes leave of what is over, and arms the timer for what comes next. */
  settle(): void {
    const now = performance.now();
    for (const stream of this.state.tick(now)) this.#changed(stream);
    this.#publisher.checkRelay(now);
    if (!this.state.awaitsPeer) this.#options.memory.sending(this, false);
    for (const stream of this.state.settle(now)) {
      const { key, attempts, error } = stream;
      const facts = { stream: key, peer: this.pubkey, attempts, code: error?.code };
      this.#options.log.debug(facts, 'stream is over for the relays');
      this.#changed(stream);
      this.#streams.delete(stream.key);
      this.#watchers.delete(stream.key);
      this.#options.windows.forget(stream);
    }
    this.#arm(now);
    if (this.state.streams.size === 0) this.#plain.rest();
    if (this.state.isIdle) this.#options.onIdle(this);
  }

  #arm(now: number): void {
    const rests = this.state.ready(now) ? this.route.wakeAt(now) : undefined;
    if (this.#isClosed) return;
    this.#timer.arm(this.state.wakeAt(now));
    this.#timer.arm(rests);
  }

  /** Publishes one event, if there is something to say and a relay to say it to. Returns whether it did. */
  sendOne(): boolean {
    const hasSent = this.#publisher.sendOne(performance.now());
    if (hasSent) this.#options.memory.sending(this, this.state.awaitsPeer);
    return hasSent;
  }

  #plainDone(stream: StreamState, refusal: Refusal | undefined): void {
    if (refusal !== undefined) {
      this.#publisher.refuseOpening(stream, refusal.reason, refusal.link);
    }
    this.#changed(stream);
    this.update();
  }

  /**
   * The peer has published what it publishes when it starts: is it there, and does it still know our streams?
   * @param version of reliable streams that it speaks, where it says so
   */
  restarted(version: number | undefined): void {
    if (version !== undefined) this.state.version.learn(version);
    if (this.state.streams.size > 0) this.state.probe(performance.now());
    this.update();
  }

  /** Asks the peer whether it is there. Resolves with the time that it took to answer, in ms. */
  async ping(): Promise<number> {
    const askedAt = performance.now();
    const answered = new Promise<void>((resolve) => this.#pings.push(resolve));
    this.state.probe(askedAt);
    this.update();
    await answered;
    return performance.now() - askedAt;
  }

  /** Says something that belongs to no stream, once. */
  say(message: Message): void {
    this.state.control.say(message);
    this.update();
  }

  /** A link went down. */
  linkDown(link: RelayLink): void {
    this.#publisher.linkDown(link, performance.now());
    this.update();
  }

  /** Ends every stream, with a RESET that goes out if a relay takes it at once. */
  reset(error: NwsError): void {
    const now = performance.now();
    for (const stream of this.state.streams.values()) {
      stream.reset(error, now);
      this.#changed(stream);
    }
    while (this.sendOne());
    this.state.settle(now);
  }

  close(): void {
    this.#options.memory.sending(this, false);
    this.#isClosed = true;
    this.#timer.disarm();
    this.#plain.close();
    for (const stream of this.#streams.values()) stream.destroy();
  }
}

/** Bulk data goes over every relay that has room, and a question asks whether that one leads here. */
function isForAnyWay(message: Message): boolean {
  return message.type === 'PING' || (message.type === 'DATA' && message.data.length > SMALL_BYTES);
}
