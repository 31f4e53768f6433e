// Two peers' pure state machines against each other over a simulated network, with applications that check
// every byte as it comes. A run that fails replays exactly from its seed.

import { NwsError } from '../../src/errors.js';
import { Budget } from '../../src/protocol/budget.js';
import { decodeMessages } from '../../src/protocol/message.js';
import { type Parcel, PeerState } from '../../src/protocol/peer-state.js';
import type { StreamState } from '../../src/protocol/stream-state.js';
import { type Random, random } from './random.js';
import { Clock, Network, type NetworkOptions } from './simulated-network.js';

export const WINDOW_BYTES = 256 * 1024;

export interface StreamPlan {
  readonly startMs: number;
  readonly upBytes: number;
  readonly downBytes: number;
  /** What each application takes at a time, and the pause between: a slow reader closes the window. */
  readonly readBytes: number;
  readonly readPauseMs: number;
  /** Neither side ends its direction. */
  readonly holdOpen?: boolean | undefined;
  /** The entry's application gives up then. */
  readonly abortMs?: number | undefined;
}

export interface Scenario {
  readonly network: NetworkOptions;
  readonly streams: readonly StreamPlan[];
  readonly restarts: readonly { readonly who: Role; readonly atMs: number }[];
}

type Role = 'entry' | 'exit';

/** The byte at each place of one direction of one stream: anything else, or anywhere else, is wrong. */
function byteAt(stream: number, role: Role, offset: number): number {
  return (offset * 31 + (offset >> 8) * 7 + stream * 3 + (role === 'entry' ? 1 : 2)) & 0xff;
}

function bytesOf(stream: number, role: Role, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  for (let offset = from; offset < to; offset += 1)
    bytes[offset - from] = byteAt(stream, role, offset);
  return bytes;
}

/** One end's application: writes its bytes, reads and checks the other's. */
export class Application {
  receivedBytes = 0;
  /** The other side's end was read. */
  finished = false;
  #writtenBytes = 0;
  #hasEnded = false;

  constructor(
    readonly index: number,
    readonly role: Role,
    readonly plan: StreamPlan,
    readonly stream: StreamState,
  ) {}

  get #writes(): number {
    return this.role === 'entry' ? this.plan.upBytes : this.plan.downBytes;
  }

  get complete(): boolean {
    const expected = this.role === 'entry' ? this.plan.downBytes : this.plan.upBytes;
    return this.finished && this.receivedBytes === expected && this.stream.send.finished;
  }

  step(now: number): void {
    const { send } = this.stream;
    if (this.#writtenBytes < this.#writes && send.queuedBytes < 50_000) {
      const next = Math.min(this.#writes, this.#writtenBytes + 50_000);
      send.write(bytesOf(this.index, this.role, this.#writtenBytes, next));
      this.#writtenBytes = next;
    }
    if (!this.#hasEnded && !this.plan.holdOpen && this.#writtenBytes === this.#writes) {
      this.#hasEnded = true;
      send.end();
    }
    for (let budget = this.plan.readBytes; budget > 0; ) {
      const data = this.stream.receive.take(now);
      if (data === undefined) break;
      this.#check(data);
      budget -= data.length;
    }
    this.finished = this.stream.receive.finished;
  }

  #check(data: Buffer): void {
    const other = this.role === 'entry' ? 'exit' : 'entry';
    for (const byte of data) {
      if (byte !== byteAt(this.index, other, this.receivedBytes)) {
        throw new Error(
          `wrong byte at ${this.receivedBytes} of stream ${this.index} at the ${this.role}`,
        );
      }
      this.receivedBytes += 1;
    }
  }
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
    const memory = new Budget(2 * WINDOW_BYTES);
    const holder = {};
    const state = new PeerState({
      role,
      windowBytes: () => WINDOW_BYTES,
      memory: {
        take: (bytes, must) => memory.take(holder, bytes, must),
        give: (bytes) => memory.give(holder, bytes),
      },
      flightShareBytes: () => WINDOW_BYTES,
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

  #start(plan: StreamPlan, index: number): void {
    const end = this.#ends.entry;
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
      const parcels = state.pull(now, this.#scenario.network.eventBytes);
      if (parcels.length === 0) break;
      this.#publish(end, parcels);
    }
    // What is over is read to its end first: the state lets go of it.
    for (const app of end.apps) if (app.stream.phase !== 'over') app.step(now);
    state.settle(now);
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

  #publish(from: End, parcels: readonly Parcel[]): void {
    const createdAt = this.clock.now;
    const text = `[${parcels.map(({ json }) => json).join(',')}]`;
    const refused = (): void => {
      from.state.lost(parcels, this.clock.now);
      this.#flush(from);
    };
    this.network.publish(() => this.#deliver(from.role, text, createdAt), refused);
  }

  #deliver(from: Role, text: string, createdAt: number): void {
    const to = this.#ends[from === 'entry' ? 'exit' : 'entry'];
    const { now } = this.clock;
    if (now - createdAt > 60_000) return;
    for (const message of decodeMessages(text).messages) {
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
