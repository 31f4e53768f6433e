// Two peers' pure state machines under a simulated clock and network, driven by one seed: loss, repetition,
// reordering, delay and outages. A run that fails replays exactly from its seed.

import { createHash } from 'node:crypto';
import { Budget } from '../../src/protocol/budget.js';
import { decodeMessages } from '../../src/protocol/message.js';
import { type Parcel, PeerState } from '../../src/protocol/peer-state.js';
import type { StreamState } from '../../src/protocol/stream-state.js';
import { type Random, random } from './random.js';

export interface NetworkOptions {
  /** Probability that an event is lost after the relay took it. */
  readonly loss: number;
  readonly repetition: number;
  readonly refusal: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Nothing passes, and everything sent is lost, in these spans of time. */
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[];
  readonly eventBytes: number;
}

export interface Transfer {
  readonly upBytes: number;
  readonly downBytes: number;
  /** Bytes that each application takes at a time, and the pause between; a slow reader closes the window. */
  readonly readBytes: number;
  readonly readPauseMs: number;
}

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** One end of a simulated stream: writes its bytes, reads the other's, checks that they are right. */
class Application {
  readonly #received = createHash('sha256');
  receivedBytes = 0;
  #written = 0;
  #ended = false;
  finished = false;

  constructor(
    readonly name: string,
    readonly writes: Buffer,
  ) {}

  step(stream: StreamState, now: number, readBytes: number): void {
    while (this.#written < this.writes.length && stream.send.queuedBytes < 100_000) {
      const size = Math.min(20_000, this.writes.length - this.#written);
      stream.send.write(this.writes.subarray(this.#written, this.#written + size));
      this.#written += size;
    }
    if (!this.#ended && this.#written === this.writes.length) {
      this.#ended = true;
      stream.send.end();
    }
    let budget = readBytes;
    for (let data = stream.receive.take(now); data !== undefined; data = stream.receive.take(now)) {
      this.#received.update(data);
      this.receivedBytes += data.length;
      budget -= data.length;
      if (budget <= 0) break;
    }
    this.finished = stream.receive.finished;
  }

  digest(): string {
    return this.#received.digest('hex');
  }
}

export interface Outcome {
  readonly rightUp: boolean;
  readonly rightDown: boolean;
  readonly errors: readonly string[];
  readonly events: number;
  readonly elapsedMs: number;
  /** Streams that are left, and timers that are armed for them. */
  readonly leftOver: number;
  /** Memory that was taken and not given back. */
  readonly heldBytes: number;
  readonly largestBuffer: number;
}

export const WINDOW_BYTES = 512 * 1024;

export class Simulation {
  now = 0;
  readonly random: Random;
  readonly #network: NetworkOptions;
  readonly #tasks: Task[] = [];
  #order = 0;
  events = 0;
  readonly entry: PeerState;
  readonly exit: PeerState;
  readonly incoming: StreamState[] = [];
  readonly memory = new Budget(WINDOW_BYTES);
  #largestBuffer = 0;

  constructor(seed: number, network: NetworkOptions) {
    this.random = random(seed);
    this.#network = network;
    this.entry = this.#peer('entry');
    this.exit = this.#peer('exit');
  }

  #peer(role: 'entry' | 'exit'): PeerState {
    const holder = {};
    return new PeerState({
      role,
      windowBytes: () => WINDOW_BYTES,
      memory: {
        take: (bytes, must) => this.memory.take(holder, bytes, must),
        give: (bytes) => this.memory.give(holder, bytes),
      },
      flightShareBytes: () => WINDOW_BYTES,
      newKey: () => this.random.uuid(),
      now: this.now,
    });
  }

  /** Runs one transfer both ways until both streams are over and nothing is left to do. */
  transfer({ upBytes, downBytes, readBytes, readPauseMs }: Transfer, limitMs: number): Outcome {
    const up = new Application('entry', this.random.bytes(upBytes));
    const down = new Application('exit', this.random.bytes(downBytes));
    const errors: string[] = [];
    const stream = this.entry.open('x.nostr:443', this.now);
    let accepted: StreamState | undefined;
    const step = (): void => {
      up.step(stream, this.now, readBytes);
      accepted ??= this.incoming.shift();
      if (accepted !== undefined) {
        if (accepted.phase === 'dialling') accepted.accept(this.now);
        down.step(accepted, this.now, readBytes);
      }
      const held = stream.receive.bufferedBytes + (accepted?.receive.bufferedBytes ?? 0);
      this.#largestBuffer = Math.max(this.#largestBuffer, held);
    };
    const alive = (): boolean => this.entry.streams.size + this.exit.streams.size > 0;
    const readLoop = (): void => {
      if (!alive()) return;
      step();
      this.#flushBoth();
      this.#at(this.now + readPauseMs, readLoop);
    };
    readLoop();
    while (alive() && this.now < limitMs) {
      if (!this.#advance()) break;
    }
    for (const end of [stream, accepted]) if (end?.error) errors.push(end.error.message);
    return {
      rightUp: down.digest() === sha256(up.writes) && down.finished,
      rightDown: up.digest() === sha256(down.writes) && up.finished,
      errors,
      events: this.events,
      elapsedMs: this.now,
      leftOver: this.entry.streams.size + this.exit.streams.size,
      heldBytes: this.memory.usedBytes,
      largestBuffer: this.#largestBuffer,
    };
  }

  #flushBoth(): void {
    this.#flush(this.entry, this.exit);
    this.#flush(this.exit, this.entry);
  }

  #flush(from: PeerState, to: PeerState): void {
    from.tick(this.now);
    for (;;) {
      const parcels = from.pull(this.now, this.#network.eventBytes);
      if (parcels.length === 0) break;
      this.#publish(from, to, parcels);
    }
    from.settle(this.now);
    const wakeAt = from.wakeAt(this.now);
    if (wakeAt !== undefined) this.#at(wakeAt, () => this.#flush(from, to));
  }

  #publish(from: PeerState, to: PeerState, parcels: readonly Parcel[]): void {
    this.events += 1;
    const { loss, repetition, refusal, delayMs, jitterMs, outages } = this.#network;
    if (this.random.chance(refusal)) {
      this.#at(this.now + 5, () => {
        from.lost(parcels, this.now);
        this.#flush(from, to);
      });
      return;
    }
    const jsons = parcels.map(({ json }) => json);
    const text = jsons.length === 1 ? jsons[0]! : `[${jsons.join(',')}]`;
    const copies = this.random.chance(repetition) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const at = this.now + delayMs + this.random.integer(jitterMs + 1);
      const isOut = outages.some(({ fromMs, toMs }) => this.now >= fromMs && this.now < toMs);
      if (isOut || this.random.chance(loss)) continue;
      this.#at(at, () => this.#deliver(from, to, text));
    }
  }

  #deliver(from: PeerState, to: PeerState, text: string): void {
    for (const message of decodeMessages(text).messages) {
      const stream = to.receive(message, this.now, true);
      if (stream?.phase === 'dialling' && !this.incoming.includes(stream))
        this.incoming.push(stream);
    }
    this.#flush(to, from);
  }

  #at(at: number, run: () => void): void {
    // A binary heap by time; the order of insertion breaks ties, so that a seed replays exactly.
    const tasks = this.#tasks;
    tasks.push({ at, order: this.#order++, run });
    let index = tasks.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(tasks[index]!, tasks[parent]!)) break;
      [tasks[index], tasks[parent]] = [tasks[parent]!, tasks[index]!];
      index = parent;
    }
  }

  #advance(): boolean {
    const tasks = this.#tasks;
    const next = tasks[0];
    if (next === undefined) return false;
    const last = tasks.pop()!;
    if (tasks.length > 0) {
      tasks[0] = last;
      let index = 0;
      for (;;) {
        let least = index;
        for (const child of [2 * index + 1, 2 * index + 2]) {
          if (child < tasks.length && before(tasks[child]!, tasks[least]!)) least = child;
        }
        if (least === index) break;
        [tasks[index], tasks[least]] = [tasks[least]!, tasks[index]!];
        index = least;
      }
    }
    this.now = next.at;
    next.run();
    return true;
  }
}

function before(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
