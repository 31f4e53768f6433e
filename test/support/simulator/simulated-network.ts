// A clock and a network that exist only in a test: tasks by simulated time, and one relay that loses, repeats,
// delays, reorders, batches, refuses, and is down now and then. Everything follows from one seed.

import type { Random } from '../random.js';

export interface NetworkOptions {
  /** Probability that an event is lost after the relay took it. */
  readonly loss: number;
  readonly repetition: number;
  /** Probability that the relay answers `OK false`. */
  readonly refusal: number;
  readonly delayMs: number;
  /** Added to each delay, uniformly: what displaces events by many places. */
  readonly jitterMs: number;
  /** The relay delivers what came within such a span together, shuffled; 0: each event by itself. */
  readonly batchMs: number;
  /** The relay is down: links go down with it, and what was under way is lost. */
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** Largest plaintext of an event. */
  readonly eventBytes: number;
}

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Tasks by time, a binary heap; the order of insertion breaks ties, so that a seed replays exactly. */
export class Clock {
  now = 0;
  readonly #tasks: Task[] = [];
  #order = 0;

  at(at: number, run: () => void): void {
    const tasks = this.#tasks;
    tasks.push({ at: Math.max(at, this.now), order: this.#order++, run });
    let index = tasks.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(tasks[index]!, tasks[parent]!)) break;
      [tasks[index], tasks[parent]] = [tasks[parent]!, tasks[index]!];
      index = parent;
    }
  }

  /** Runs the next task; false when there is none. */
  step(): boolean {
    const tasks = this.#tasks;
    const next = tasks[0];
    if (next === undefined) return false;
    const last = tasks.pop()!;
    if (tasks.length > 0) {
      tasks[0] = last;
      this.#sink();
    }
    this.now = next.at;
    next.run();
    return true;
  }

  #sink(): void {
    const tasks = this.#tasks;
    let index = 0;
    for (;;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < tasks.length && isBefore(tasks[child]!, tasks[least]!)) least = child;
      }
      if (least === index) return;
      [tasks[index], tasks[least]] = [tasks[least]!, tasks[index]!];
      index = least;
    }
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

export class Network {
  events = 0;
  readonly #options: NetworkOptions;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: NetworkOptions, clock: Clock, random: Random) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  get isUp(): boolean {
    const { now } = this.#clock;
    return !this.#options.outages.some(({ fromMs, toMs }) => now >= fromMs && now < toMs);
  }

  /** Publishes an event: `refused` is called, or `deliver` once, twice or never. */
  publish(deliver: () => void, refused: () => void): void {
    this.events += 1;
    const { loss, repetition, refusal } = this.#options;
    if (this.#random.chance(refusal)) {
      this.#clock.at(this.#clock.now + 5, refused);
      return;
    }
    const copies = this.#random.chance(repetition) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (!this.#random.chance(loss)) this.#deliverLater(deliver);
    }
  }

  #deliverLater(deliver: () => void): void {
    const { delayMs, jitterMs, batchMs } = this.#options;
    let at = this.#clock.now + delayMs + this.#random.integer(jitterMs + 1);
    // A batch leaves together: the fraction of a millisecond shuffles it.
    if (batchMs > 0) at = Math.ceil(at / batchMs) * batchMs + this.#random.next();
    const sentAt = this.#clock.now;
    this.#clock.at(at, () => {
      const wasCut = this.#options.outages.some(({ fromMs }) => fromMs >= sentAt && fromMs <= at);
      if (!wasCut) deliver();
    });
  }
}
