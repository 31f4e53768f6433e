// A bulk download and streams that say little, between two peers' state machines and publishers over several simulated
// relays: how fast the one is, and how long the others wait.

import { pino } from 'pino';
import { STREAM_WINDOW_BYTES } from '../../../src/limits.js';
import { PeerState } from '../../../src/protocol/peer/peer-state.js';
import type { StreamState } from '../../../src/protocol/stream/stream-state.js';
import { decodePlaintext } from '../../../src/protocol/wire/encoding.js';
import type { Message } from '../../../src/protocol/wire/message.js';
import type { RelayLink } from '../../../src/relay/link.js';
import type { PlainSender } from '../../../src/tunnel/sending/plain-sender.js';
import { Publisher } from '../../../src/tunnel/sending/publisher.js';
import { RelayHealth } from '../../../src/tunnel/sending/relay-health.js';
import { Route } from '../../../src/tunnel/sending/route.js';
import type { Sealer } from '../../../src/tunnel/sending/sealer.js';
import { random } from '../random.js';
import { Clock } from './simulated-network.js';
import { type RelayTraits, SimulatedLink, SimulatedRelay } from './simulated-relays.js';

const MB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024);
const QUESTION = Buffer.alloc(100);
const ANSWER = Buffer.alloc(200);
const BULK = 'bulk';
/** What fits an event. */
const EVENT_BYTES = 40_000;
/** What an application writes ahead. */
const AHEAD_BYTES = 256 * 1024;
/** What `follows` of Route.heard means. */
const SMALL_BYTES = 4_096;

export interface TrafficOptions {
  readonly relays: readonly RelayTraits[];
  /** Bytes of a download; 0: there is none. */
  readonly bulkBytes: number;
  /** Clients that ask for little, and think for so long on average in between. */
  readonly clients: number;
  readonly thinkMs: number;
  /** What an event costs each end, in ms of its one thread. */
  readonly eventMs: number;
}

interface End {
  readonly name: 'entry' | 'exit';
  readonly state: PeerState;
  readonly links: readonly SimulatedLink[];
  readonly route: Route;
  readonly publisher: Publisher;
  /** Until when its thread is busy. */
  busyUntil: number;
  armedAt: number;
  isScheduled: boolean;
}

export class Traffic {
  readonly clock = new Clock();
  readonly relays: readonly SimulatedRelay[];
  /** Of the download. */
  receivedBytes = 0;
  repeatedBytes = 0;
  /** When the download was there. */
  doneAt: number | undefined;
  readonly #entry: End;
  readonly #exit: End;
  readonly #options: TrafficOptions;
  readonly #random = random(1);
  readonly #askedAt = new Map<string, number>();
  readonly #sentTo = new Map<string, number>();
  #latenciesMs: number[] = [];
  #bulk: StreamState | undefined;
  #leftBytes: number;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#leftBytes = options.bulkBytes;
    this.relays = options.relays.map((traits) => new SimulatedRelay(traits, this.clock));
    this.#entry = this.#end('entry');
    this.#exit = this.#end('exit');
    if (options.bulkBytes > 0) this.#open(BULK);
    for (let client = 0; client < options.clients; client += 1) {
      this.clock.at(this.#random.integer(500), () => this.#open('small'));
    }
  }

  run(untilMs: number): void {
    while (this.clock.now < untilMs && this.clock.step());
  }

  /** Median of what was answered since the last call, in ms. */
  takeMedianMs(): number {
    const sorted = this.#latenciesMs.sort((a, b) => a - b);
    this.#latenciesMs = [];
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  }

  #end(name: 'entry' | 'exit'): End {
    const state = new PeerState({
      role: name,
      windowBytes: () => STREAM_WINDOW_BYTES,
      memory: { take: () => true, give: () => undefined },
      flightShareBytes: () => 64 * MB,
      newKey: () => this.#random.uuid(),
      now: 0,
    });
    const links = this.relays.map((relay, index) => {
      return new SimulatedLink(relay, name, (text) => this.#arrived(name, index, text));
    });
    const route = new Route(links as unknown as RelayLink[], new RelayHealth());
    const sealer = {
      capacity: () => EVENT_BYTES,
      recycle: () => undefined,
      // The encoding writes the next one into the same memory.
      seal: (text: Buffer) => ({
        event: { id: '', content: Buffer.from(text) },
        bytes: text.length,
      }),
    } as unknown as Sealer;
    const publisher = new Publisher({
      ...{ state, route, sealer, log: pino({ level: 'silent' }) },
      plain: { sendOne: () => false } as unknown as PlainSender,
      onChanged: () => undefined,
      onLost: () => this.#schedule(end),
      clock: () => this.clock.now,
    });
    const idle = { busyUntil: 0, armedAt: Number.POSITIVE_INFINITY, isScheduled: false };
    const end: End = { name, state, links, route, publisher, ...idle };
    for (const link of links) {
      link.onDrain = () => this.#schedule(end);
      link.onDown = () => {
        publisher.linkDown(link as unknown as RelayLink, this.clock.now);
        this.#schedule(end);
      };
    }
    return end;
  }

  #open(destination: string): void {
    const { state } = this.#entry;
    state.suggest(true, this.clock.now);
    const stream = state.open(destination, this.clock.now);
    if (destination !== BULK) this.#ask(stream);
    this.#schedule(this.#entry);
  }

  #ask(stream: StreamState): void {
    this.#askedAt.set(stream.key, this.clock.now);
    stream.send.write(QUESTION);
    this.#schedule(this.#entry);
  }

  /** The end's thread gets to it when it is done with what it does now. */
  #schedule(end: End): void {
    if (end.isScheduled) return;
    end.isScheduled = true;
    this.clock.at(Math.max(this.clock.now, end.busyUntil), () => {
      end.isScheduled = false;
      this.#turn(end);
    });
  }

  #turn(end: End): void {
    const { now } = this.clock;
    end.state.tick(now);
    this.#applications(end);
    end.publisher.checkRelay(now);
    if (end.publisher.sendOne(now)) {
      end.busyUntil = Math.max(end.busyUntil, now) + this.#options.eventMs;
      this.#schedule(end);
    }
    end.state.settle(now);
    this.#arm(end, end.state.wakeAt(now));
    if (end.state.ready(now)) this.#arm(end, end.route.wakeAt(now));
  }

  #arm(end: End, wakeAt: number | undefined): void {
    if (wakeAt === undefined || wakeAt >= end.armedAt) return;
    end.armedAt = wakeAt;
    this.clock.at(wakeAt, () => {
      if (end.armedAt === wakeAt) end.armedAt = Number.POSITIVE_INFINITY;
      this.#schedule(end);
    });
  }

  /** @param from who sent it */
  #arrived(from: 'entry' | 'exit', index: number, text: Buffer): void {
    const end = from === 'entry' ? this.#exit : this.#entry;
    const { messages } = decodePlaintext(text);
    if (end === this.#entry) this.#noteRepeats(messages);
    end.busyUntil = Math.max(end.busyUntil, this.clock.now) + this.#options.eventMs;
    this.clock.at(end.busyUntil, () => this.#receive(end, index, messages));
  }

  #receive(end: End, index: number, messages: readonly Message[]): void {
    const { now } = this.clock;
    const link = end.links[index] as unknown as RelayLink;
    end.publisher.heard(link);
    const follows = messages.some((message) => {
      return message.type === 'DATA' ? message.data.length <= SMALL_BYTES : message.type !== 'PING';
    });
    end.route.heard(link, end === this.#exit && follows, now);
    for (const message of messages) {
      const isKnown = end.state.streams.has(message.key);
      const stream = end.state.receive(message, now, true);
      if (stream?.phase !== 'dialling' || isKnown) continue;
      stream.accept(now);
      if (stream.destination === BULK) this.#bulk = stream;
    }
    this.#schedule(end);
  }

  #noteRepeats(messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.type !== 'DATA') continue;
      const { key, offset, data } = message;
      if (offset < (this.#sentTo.get(key) ?? 0)) this.repeatedBytes += data.length;
    }
  }

  #applications(end: End): void {
    const { now } = this.clock;
    for (const stream of end.state.streams.values()) {
      let bytes = 0;
      for (
        let data = stream.receive.take(now);
        data !== undefined;
        data = stream.receive.take(now)
      ) {
        bytes += data.length;
      }
      if (stream === this.#bulk) this.#write(stream);
      else if (stream.destination === BULK) this.#downloaded(stream, bytes);
      else if (bytes >= QUESTION.length && end === this.#exit) stream.send.write(ANSWER);
      else if (bytes >= ANSWER.length) this.#answered(stream);
    }
  }

  #write(stream: StreamState): void {
    while (stream.send.queuedBytes < AHEAD_BYTES && this.#leftBytes > 0) {
      const chunk = CHUNK.subarray(0, this.#leftBytes);
      stream.send.write(chunk);
      this.#leftBytes -= chunk.length;
    }
  }

  #downloaded(stream: StreamState, bytes: number): void {
    this.receivedBytes += bytes;
    this.#sentTo.set(stream.key, this.receivedBytes);
    if (bytes > 0 && this.receivedBytes === this.#options.bulkBytes) this.doneAt = this.clock.now;
  }

  #answered(stream: StreamState): void {
    const { now } = this.clock;
    this.#latenciesMs.push(now - this.#askedAt.get(stream.key)!);
    this.clock.at(now + this.#random.integer(2 * this.#options.thinkMs), () => this.#ask(stream));
  }
}
