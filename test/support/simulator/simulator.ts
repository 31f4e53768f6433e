// Two peers' pure state machines against each other over a simulated network, with applications that check
// every byte as it comes. A run that fails replays exactly from its seed.

import { NwsError } from '../../../src/errors.js';
import { Budget } from '../../../src/protocol/peer/budget.js';
import { type Parcel, PeerState } from '../../../src/protocol/peer/peer-state.js';
import type { StreamState } from '../../../src/protocol/stream/stream-state.js';
import { decodePlaintext, FRAMES_VERSION } from '../../../src/protocol/wire/encoding.js';
import { encodeMessage } from '../../../src/protocol/wire/message.js';
import { Application, type Role, type StreamPlan } from '../application.js';
import { type Random, random } from '../random.js';
import { audit } from './audit.js';
import { Clock, Network, type NetworkOptions } from './simulated-network.js';

export const WINDOW_BYTES = 256 * 1024;
/** When a relay that took an event says so; one that refuses it is quicker. */
const OK_MS = 10;

/** Looking at every stream at every step takes its time where there are many. */
const MOST_AUDITED = 16;

export interface Scenario {
  readonly network: NetworkOptions;
  readonly streams: readonly StreamPlan[];
  readonly restarts: readonly { readonly who: Role; readonly atMs: number }[];
  /** Up to which version of reliable streams each side speaks them; default: the newest. */
  readonly versions?: Readonly<Record<Role, number>>;
  /** What the entry takes the exit's version for, without having asked; default: it doesn't know the exit. */
  readonly suggested?: number | undefined;
  /** What may be in flight toward either side. */
  readonly windowBytes?: number;
}

interface End {
  readonly role: Role;
  readonly state: PeerState;
  readonly memory: Budget;
  readonly startedAt: number;
  readonly apps: Application[];
  /** When its timer fires. */
  armedAt: number;
}

export class Simulation {
  readonly clock = new Clock();
  readonly network: Network;
  readonly random: Random;
  readonly #scenario: Scenario;
  #ends: Record<Role, End>;
  readonly apps: Application[] = [];
  /** What the exit was asked for, by stream key: the plan's index. */
  readonly #asked = new Map<string, number>();
  largestHeldBytes = 0;
  /** Of the plaintext of an event, other than one in the plain way. */
  largestBytes = 0;
  /** Events that were frames. */
  frames = 0;

  constructor(seed: number, scenario: Scenario) {
    this.random = random(seed);
    this.#scenario = scenario;
    this.network = new Network(scenario.network, this.clock, this.random);
    this.#ends = { entry: this.#end('entry'), exit: this.#end('exit') };
    this.#plan();
  }

  get events(): number {
    return this.network.events;
  }

  /** Streams that are left on both sides. */
  get leftOver(): number {
    return this.#ends.entry.state.streams.size + this.#ends.exit.state.streams.size;
  }

  get heldBytes(): number {
    return this.#ends.entry.memory.usedBytes + this.#ends.exit.memory.usedBytes;
  }

  /** Neither side remembers anything, nor would wake up again. */
  get isAtRest(): boolean {
    const { entry, exit } = this.#ends;
    return [entry, exit].every(
      ({ state }) => state.isIdle && state.wakeAt(this.clock.now) === undefined,
    );
  }

  #end(role: Role): End {
    const { windowBytes = WINDOW_BYTES } = this.#scenario;
    const memory = new Budget(2 * Math.max(WINDOW_BYTES, windowBytes));
    const holder = {};
    const state = new PeerState({
      role,
      version: this.#scenario.versions?.[role],
      windowBytes: () => windowBytes,
      memory: {
        take: (bytes, must) => memory.take(holder, bytes, must),
        give: (bytes) => memory.give(holder, bytes),
      },
      flightShareBytes: () => windowBytes,
      newKey: () => this.random.uuid(),
      now: this.clock.now,
    });
    return { role, state, memory, startedAt: this.clock.now, apps: [], armedAt: Infinity };
  }

  #plan(): void {
    const { streams, restarts, network } = this.#scenario;
    streams.forEach((plan, index) => {
      this.clock.at(plan.startMs, () => this.#start(plan, index));
    });
    for (const { who, atMs } of restarts) this.clock.at(atMs, () => this.#restart(who));
    for (const { fromMs, toMs } of network.outages) {
      for (const at of [fromMs, toMs]) this.clock.at(at, () => this.#relink());
    }
  }

  /** Runs until nothing more would ever happen, or until a time. */
  run(untilMs: number): void {
    while (this.clock.now < untilMs && this.clock.step());
  }

  /** The application of one side ends what `holdOpen` has kept open. */
  end(role: Role): void {
    for (const { stream } of this.#ends[role].apps) stream.send.end();
    this.#flush(this.#ends[role]);
  }

  /** Acts as soon as the other side's application has read all ends of this one. */
  whenEnded(role: Role, act: () => void): void {
    const other = this.#ends[role === 'entry' ? 'exit' : 'entry'];
    const check = (): void => {
      if (other.apps.every(({ finished }) => finished)) act();
      else this.clock.at(this.clock.now + 1, check);
    };
    check();
  }

  #start(plan: StreamPlan, index: number): void {
    const end = this.#ends.entry;
    const { suggested } = this.#scenario;
    if (suggested !== undefined) end.state.suggest(true, this.clock.now, suggested);
    const stream = end.state.open(`stream-${index}`, this.clock.now);
    this.#asked.set(stream.key, index);
    const app = this.#attach(end, new Application(index, 'entry', plan, stream));
    const { abortMs } = plan;
    if (abortMs === undefined) return;
    this.clock.at(abortMs, () => {
      app.stream.reset(new NwsError('connection_terminated', 'the client left'), this.clock.now);
      this.#flush(end);
    });
  }

  #attach(end: End, app: Application): Application {
    end.apps.push(app);
    this.apps.push(app);
    const work = (): void => {
      if (this.#ends[end.role] !== end || app.stream.phase === 'over') return;
      app.step(this.clock.now);
      this.#flush(end);
      this.clock.at(this.clock.now + app.plan.readPauseMs, work);
    };
    work();
    return app;
  }

  /** Killed without a word, and started anew: nothing is remembered. */
  #restart(who: Role): void {
    for (const { stream } of this.#ends[who].apps) {
      stream.abandon(new NwsError('connection_terminated', 'killed'));
    }
    this.#ends[who] = this.#end(who);
    // A start is noticed: an exit publishes something then, and an entry asks.
    if (who === 'exit') this.#ends.entry.state.probe(this.clock.now);
    this.#flush(this.#ends.entry);
  }

  #relink(): void {
    for (const end of [this.#ends.entry, this.#ends.exit]) {
      end.state.relink(this.clock.now);
      this.#flush(end);
    }
  }

  #flush(end: End): void {
    if (this.#ends[end.role] !== end) return;
    const { state } = end;
    const { now } = this.clock;
    state.tick(now);
    while (this.network.isUp) {
      const { encoding } = state.version;
      const parcels = state.pull(now, this.#scenario.network.eventBytes, { encoding });
      if (parcels.length === 0) break;
      const plaintext = encoding.encode(parcels.map(({ message }) => message));
      this.largestBytes = Math.max(this.largestBytes, plaintext.length);
      this.#publish(end, parcels, plaintext);
    }
    while (this.network.isUp && this.#publishPlain(end));
    // What is over is read to its end first: the state lets go of it.
    for (const app of end.apps) if (app.stream.phase !== 'over') app.step(now);
    state.settle(now);
    if (this.apps.length <= MOST_AUDITED) audit(state, now);
    this.largestHeldBytes = Math.max(this.largestHeldBytes, end.memory.usedBytes);
    this.#arm(end);
  }

  #arm(end: End): void {
    const wakeAt = end.state.wakeAt(this.clock.now);
    if (wakeAt === undefined || wakeAt >= end.armedAt) return;
    end.armedAt = wakeAt;
    this.clock.at(wakeAt, () => {
      if (end.armedAt !== wakeAt) return;
      end.armedAt = Number.POSITIVE_INFINITY;
      this.#flush(end);
    });
  }

  #publish(from: End, parcels: readonly Parcel[], plaintext: Buffer): void {
    const createdAt = this.clock.now;
    const refused = (): void => {
      from.state.lost(parcels, this.clock.now);
      this.#flush(from);
    };
    this.network.publish(() => this.#deliver(from.role, plaintext, createdAt), refused);
  }

  /** What an exit that isn't heard of for a while is sent in case that it knows NIP-443 alone. */
  #publishPlain(from: End): boolean {
    const createdAt = this.clock.now;
    const parcel = from.state.pullPlain(createdAt, () => this.#scenario.network.eventBytes / 2);
    if (parcel === undefined) return false;
    const plaintext = Buffer.from(encodeMessage(parcel.outgoing.message));
    let isAnswered = false;
    const answered = (ok: boolean) => (): void => {
      if (isAnswered) return;
      isAnswered = true;
      from.state.plainDone(parcel, ok, this.clock.now);
      this.#flush(from);
    };
    this.network.publish(() => this.#deliver(from.role, plaintext, createdAt), answered(false));
    this.clock.at(createdAt + OK_MS, answered(true));
    return true;
  }

  #deliver(from: Role, plaintext: Buffer, createdAt: number): void {
    const to = this.#ends[from === 'entry' ? 'exit' : 'entry'];
    const { now } = this.clock;
    if (now - createdAt > 60_000) return;
    const { messages, isFrame } = decodePlaintext(plaintext);
    const { versions = { entry: FRAMES_VERSION, exit: FRAMES_VERSION } } = this.#scenario;
    if (isFrame && versions[to.role] < FRAMES_VERSION) return; // it makes no sense to that one
    if (isFrame) this.frames += 1;
    if (isFrame) to.state.version.learn(FRAMES_VERSION);
    for (const message of messages) {
      const isKnown = to.state.streams.has(message.key);
      const stream = to.state.receive(message, now, createdAt >= to.startedAt);
      if (stream?.phase === 'dialling' && !isKnown) this.#accept(to, stream);
    }
    this.#flush(to);
  }

  /** The exit's target takes a moment. */
  #accept(end: End, stream: StreamState): void {
    const index = this.#asked.get(stream.key)!;
    const app = new Application(index, 'exit', this.#scenario.streams[index]!, stream);
    this.clock.at(this.clock.now + 1 + this.random.integer(30), () => {
      if (this.#ends.exit !== end || stream.phase !== 'dialling') return;
      stream.accept(this.clock.now);
      this.#attach(end, app);
    });
  }
}
