// What one client may publish: so many bytes and events a second. What is beyond waits for its turn, as at a relay that
// is slow or far away, or is refused, as at one that rations.

import { WakeTimer } from '../../common/wake-timer.js';
import type { RelayBehaviour } from './behaviour.js';

/** What a client that was silent may publish at once where more is refused, in ms of its rate. */
const BURST_MS = 1_000;
/** What waits of one client, after which nothing more is read from it. */
const MAX_WAITING_BYTES = 1024 * 1024;

interface Waiting {
  readonly dueAt: number;
  readonly bytes: number;
  readonly run: () => void;
}

export class ClientRate {
  readonly #behaviour: RelayBehaviour;
  readonly #onFull: (isFull: boolean) => void;
  readonly #timer = new WakeTimer(() => this.#next());
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Until when everything that has passed so far takes, in ms. */
  #busyUntil = 0;

  /** @param onFull more waits than is good, or no longer so */
  constructor(behaviour: RelayBehaviour, onFull: (isFull: boolean) => void) {
    this.#behaviour = behaviour;
    this.#onFull = onFull;
  }

  /** One more event: `run` is called now or in its turn. Returns false where it is to be refused. */
  take(bytes: number, run: () => void): boolean {
    const costMs = this.#costMs(bytes);
    if (costMs === 0 && this.#waiting.length === 0) {
      run();
      return true;
    }
    const now = performance.now();
    if (this.#behaviour.overRate === 'refused') {
      if (this.#busyUntil > now + BURST_MS) return false;
      this.#busyUntil = Math.max(this.#busyUntil, now) + costMs;
      run();
      return true;
    }
    this.#busyUntil = Math.max(this.#busyUntil, now) + costMs;
    this.#waiting.push({ dueAt: this.#busyUntil, bytes, run });
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#onFull(true);
    this.#timer.arm(this.#waiting[0]!.dueAt);
    return true;
  }

  close(): void {
    this.#timer.disarm();
    this.#waiting = [];
  }

  #costMs(bytes: number): number {
    const { bytesPerSecond, eventsPerSecond } = this.#behaviour;
    const ofBytes = bytesPerSecond > 0 ? (1_000 * bytes) / bytesPerSecond : 0;
    return Math.max(ofBytes, eventsPerSecond > 0 ? 1_000 / eventsPerSecond : 0);
  }

  #next(): void {
    const now = performance.now();
    let done = 0;
    for (const { dueAt, bytes, run } of this.#waiting) {
      if (dueAt > now) break;
      done += 1;
      this.#waitingBytes -= bytes;
      run();
    }
    this.#waiting.splice(0, done);
    if (this.#waitingBytes <= MAX_WAITING_BYTES / 2) this.#onFull(false);
    this.#timer.arm(this.#waiting[0]?.dueAt);
  }
}
