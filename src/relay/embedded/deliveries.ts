// Accepted events on their way through the embedded relay: taken down in write batches, then delivered to
// subscribers, with the faults that are switched on: delay, reordering, loss, repetition.

import type { Filter } from 'nostr-tools';
import type { RelayBehaviour } from './behaviour.js';
import type { StoredEvent } from './event-store.js';

/** A batch that has grown to this many events is delivered before its time. */
const MAX_BATCH = 10_000;
/** The next write batch takes longer after one of more events than this. */
const SMALL_WRITE = 4;
const LONG_WRITE_FACTOR = 10;

export interface LiveSubscription {
  readonly filters: readonly Filter[];
  /** Sends an event's JSON to the subscriber; false if the subscription has ended, or isn't to see it. */
  deliver(stored: StoredEvent): boolean;
}

export interface Delivery extends StoredEvent {
  readonly audience: readonly LiveSubscription[];
  /** Called when the event is taken down, which is before anybody gets it. */
  readonly onCommitted: () => void;
}

export class Deliveries {
  readonly #behaviour: RelayBehaviour;
  readonly #random: () => number;
  #writes: Delivery[] = [];
  #writeTimer: NodeJS.Timeout | undefined;
  #wasLongWrite = false;
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

  push(delivery: Delivery): void {
    const { writeBatchMs } = this.#behaviour;
    this.#writes.push(delivery);
    const lengthMs = this.#wasLongWrite ? LONG_WRITE_FACTOR * writeBatchMs : writeBatchMs;
    if (lengthMs === 0 || this.#writes.length >= MAX_BATCH) this.#commit();
    else this.#writeTimer ??= setTimeout(() => this.#commit(), lengthMs);
  }

  clear(): void {
    clearTimeout(this.#writeTimer);
    clearTimeout(this.#timer);
    this.#writes = [];
    this.#batch = [];
  }

  #commit(): void {
    const writes = this.#writes;
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
    this.#writes = [];
    this.#wasLongWrite = writes.length > SMALL_WRITE;
    if (this.#behaviour.reorder) writes.sort(byTimeAndId);
    for (const { onCommitted } of writes) onCommitted();
    for (const delivery of writes) this.#enqueue(delivery);
  }

  #enqueue(delivery: Delivery): void {
    const { deliveryDelayMs } = this.#behaviour;
    if (deliveryDelayMs === 0 && !this.#sortsDeliveries && this.#timer === undefined) {
      this.#deliver(delivery);
      return;
    }
    this.#batch.push(delivery);
    if (this.#batch.length >= MAX_BATCH) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), deliveryDelayMs);
  }

  /** What came after the OK of another event stays behind it where there are write batches. */
  get #sortsDeliveries(): boolean {
    return this.#behaviour.reorder && this.#behaviour.writeBatchMs === 0;
  }

  #flush(): void {
    const batch = this.#batch;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#batch = [];
    if (this.#sortsDeliveries) batch.sort(byTimeAndId);
    for (const delivery of batch) this.#deliver(delivery);
  }

  #deliver(delivery: Delivery): void {
    const { loss, duplicate } = this.#behaviour;
    for (const subscription of delivery.audience) {
      if (loss > 0 && this.#random() < loss) continue;
      const times = duplicate > 0 && this.#random() < duplicate ? 2 : 1;
      for (let time = 0; time < times; time++) {
        if (subscription.deliver(delivery)) this.#delivered++;
      }
    }
  }
}

function byTimeAndId(a: Delivery, b: Delivery): number {
  return a.event.created_at - b.event.created_at || (a.event.id < b.event.id ? -1 : 1);
}
