// Relays as a bulk transfer meets them, under a simulated clock: so many bytes a second of each client, delivery in
// batches as strfry has it, refusals of what is beyond a ration, relays that die, and links to them.

import { OkLatency } from '../../../src/relay/publishing/ok-latency.js';
import type { Clock } from './simulated-network.js';

/** Bytes of an event for each of its plaintext: base64 and padding. */
const EVENT_FACTOR = 1.4;

export interface RelayTraits {
  /** Each way between a client and the relay. */
  readonly delayMs: number;
  /** What one client may publish in a second, taken in turn. */
  readonly bytesPerSecond?: number;
  /** What one client may publish in a second; more is refused. */
  readonly eventsPerSecond?: number;
  /** Delivered this much later, with all that came meanwhile. */
  readonly batchMs?: number;
  /** Takes everything from then on, and delivers nothing. */
  readonly deafFromMs?: number;
  /** Its connections end then. */
  readonly diesAtMs?: number;
  /** Takes everything and delivers nothing to the entry. */
  readonly isUnheardByEntry?: boolean;
}

export class SimulatedRelay {
  readonly traits: RelayTraits;
  readonly clock: Clock;
  /** Bytes that were taken, by client. */
  readonly takenBytes = new Map<string, number>();
  events = 0;
  refused = 0;
  readonly #busyUntil = new Map<string, number>();
  #batch: (() => void)[] = [];

  constructor(traits: RelayTraits, clock: Clock) {
    this.traits = traits;
    this.clock = clock;
  }

  get isUp(): boolean {
    return this.clock.now < (this.traits.diesAtMs ?? Number.POSITIVE_INFINITY);
  }

  /** An event arrives. @param answer whether it is taken, in its time */
  arrive(client: string, bytes: number, deliver: () => void, answer: (ok: boolean) => void): void {
    const { bytesPerSecond = Number.POSITIVE_INFINITY, eventsPerSecond } = this.traits;
    const { now } = this.clock;
    const busyUntil = this.#busyUntil.get(client) ?? 0;
    if (eventsPerSecond !== undefined) {
      if (busyUntil > now + 1_000) {
        this.refused += 1;
        answer(false);
        return;
      }
      this.#busyUntil.set(client, Math.max(now, busyUntil) + 1_000 / eventsPerSecond);
      this.#take(client, bytes, deliver, answer);
      return;
    }
    const takenAt = Math.max(now, busyUntil) + (1_000 * bytes) / bytesPerSecond;
    this.#busyUntil.set(client, takenAt);
    this.clock.at(takenAt, () => this.#take(client, bytes, deliver, answer));
  }

  #take(client: string, bytes: number, deliver: () => void, answer: (ok: boolean) => void): void {
    const { batchMs = 0, deafFromMs = Number.POSITIVE_INFINITY } = this.traits;
    this.events += 1;
    this.takenBytes.set(client, (this.takenBytes.get(client) ?? 0) + bytes);
    answer(true);
    if (this.clock.now >= deafFromMs) return;
    this.#batch.push(deliver);
    if (batchMs === 0) this.#flush();
    else if (this.#batch.length === 1) this.clock.at(this.clock.now + batchMs, () => this.#flush());
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    for (const deliver of batch) this.later(deliver);
  }

  /** On the way between a client and the relay; lost where that dies meanwhile. */
  later(run: () => void): void {
    this.clock.at(this.clock.now + this.traits.delayMs, () => {
      if (this.isUp) run();
    });
  }
}

/** What Route and Publisher use of a link. */
export class SimulatedLink {
  readonly url: string;
  readonly deafness = undefined;
  readonly eventLimitBytes = 65_536;
  onDrain: () => void = () => undefined;
  onDown: () => void = () => undefined;
  readonly #relay: SimulatedRelay;
  readonly #client: string;
  readonly #deliver: (plaintext: Buffer) => void;
  readonly #unconfirmed = new Map<symbol, { bytes: number; at: number; fail: () => void }>();
  /** As the outbox has it. */
  readonly #latency = new OkLatency();
  #unconfirmedBytes = 0;

  /** @param deliver what this client publishes arrives at its peer */
  constructor(relay: SimulatedRelay, client: string, deliver: (plaintext: Buffer) => void) {
    this.url = `ws://${relay.traits.delayMs}.example`;
    this.#relay = relay;
    this.#client = client;
    this.#deliver = deliver;
    const { diesAtMs } = relay.traits;
    if (diesAtMs !== undefined) relay.clock.at(diesAtMs, () => this.#down());
  }

  get isUp(): boolean {
    return this.#relay.isUp;
  }

  get canPublish(): boolean {
    return this.isUp && this.#unconfirmedBytes < this.#latency.unconfirmedBytes;
  }

  get okLatencyMs(): number | undefined {
    return this.#latency.smoothedMs;
  }

  get stallsAt(): number | undefined {
    const [oldest] = this.#unconfirmed.values();
    if (this.canPublish || oldest === undefined) return undefined;
    return oldest.at + Math.max(1_500, 4 * (this.okLatencyMs ?? 0));
  }

  publish(
    { content }: { content: Buffer },
    onResult: (result: { ok: boolean; reason: string }) => void,
  ): void {
    const relay = this.#relay;
    const bytes = EVENT_FACTOR * content.length;
    const id = Symbol('event');
    const at = relay.clock.now;
    const fail = (): void => onResult({ ok: false, reason: 'error: the relay is gone' });
    this.#unconfirmed.set(id, { bytes, at, fail });
    this.#unconfirmedBytes += bytes;
    const deliver = (): void => {
      if (this.#client === 'entry' || !relay.traits.isUnheardByEntry) this.#deliver(content);
    };
    const answer = (ok: boolean): void => {
      relay.later(() => {
        this.#settle(id);
        onResult({ ok, reason: ok ? '' : 'rate-limited: slow down' });
      });
    };
    relay.later(() => relay.arrive(this.#client, bytes, deliver, answer));
  }

  delivered(): void {
    // Every event gets its answer here.
  }

  #settle(id: symbol): void {
    const { bytes, at } = this.#unconfirmed.get(id)!;
    const wasFull = !this.canPublish;
    this.#unconfirmed.delete(id);
    this.#unconfirmedBytes -= bytes;
    this.#latency.sample(this.#relay.clock.now - at);
    if (wasFull && this.canPublish) this.onDrain();
  }

  #down(): void {
    const failed = [...this.#unconfirmed.values()];
    this.#unconfirmed.clear();
    this.#unconfirmedBytes = 0;
    for (const { fail } of failed) fail();
    this.onDown();
  }
}
