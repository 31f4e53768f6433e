// Live events on their way from the embedded relay to its subscribers, with the faults that are switched on:
// delay, reordering, loss, repetition.

import type { Filter } from 'nostr-tools';
import type { StoredEvent } from './event-store.js';
import type { RelayBehaviour } from './relay-behaviour.js';

/** A batch that has grown to this many events is delivered before its time. */
const MAX_BATCH = 10_000;

export interface LiveSubscription {
  readonly filters: readonly Filter[];
  /** Sends an event's JSON to the subscriber; false if the subscription has ended. */
  deliver(json: string): boolean;
}

interface Delivery extends StoredEvent {
  readonly audience: readonly LiveSubscription[];
}

export class Deliveries {
  readonly #behaviour: RelayBehaviour;
  readonly #random: () => number;
  #batch: Delivery[] = [];
  #timer: NodeJS.Timeout | undefined;
  #delivered = 0;

  constructor(behaviour: RelayBehaviour, random: () => number) {
    this.#behaviour = behaviour;
    this.#random = random;
  }

  /** Events handed to subscribers so far. */
  get delivered(): number {
    return this.#delivered;
  }

  push(stored: StoredEvent, audience: readonly LiveSubscription[]): void {
    const { deliveryDelayMs, reorder } = this.#behaviour;
    const delivery = { ...stored, audience };
    if (deliveryDelayMs === 0 && !reorder && this.#timer === undefined) this.#deliver(delivery);
    else this.#enqueue(delivery, deliveryDelayMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#batch = [];
  }

  #enqueue(delivery: Delivery, delayMs: number): void {
    this.#batch.push(delivery);
    if (this.#batch.length >= MAX_BATCH) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), delayMs);
  }

  #flush(): void {
    const batch = this.#batch;
    this.clear();
    if (this.#behaviour.reorder) batch.sort(byTimeAndId);
    for (const delivery of batch) this.#deliver(delivery);
  }

  #deliver({ json, audience }: Delivery): void {
    const { loss, duplicate } = this.#behaviour;
    for (const subscription of audience) {
      if (loss > 0 && this.#random() < loss) continue;
      const times = duplicate > 0 && this.#random() < duplicate ? 2 : 1;
      for (let time = 0; time < times; time++) {
        if (subscription.deliver(json)) this.#delivered++;
      }
    }
  }
}

function byTimeAndId(a: Delivery, b: Delivery): number {
  return a.event.created_at - b.event.created_at || (a.event.id < b.event.id ? -1 : 1);
}
