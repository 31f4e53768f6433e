// Failed attempts to authenticate, by where they come from: who fails often waits ever longer for the next try.
// Pure: the time comes in as an argument, and waiting is up to the caller.

import { isIPv6 } from 'node:net';
import { BoundedMap } from '../../common/bounded.js';

export interface AttemptLimits {
  /** Failures that cost nothing: people mistype. */
  readonly freeFailures: number;
  /** Pause behind the failure after these; it doubles with each further one. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** An attempt that would have to wait for longer is turned away. */
  readonly longestWaitMs: number;
  /** Quiet time after which failures are forgotten. */
  readonly forgetMs: number;
  /** Addresses that are remembered; the one that failed longest ago makes room. */
  readonly maxAddresses: number;
}

/** In the end some 7 tries a minute, of which hardly two wait at a time. */
const LIMITS: AttemptLimits = {
  freeFailures: 3,
  firstPauseMs: 250,
  longestPauseMs: 8_000,
  longestWaitMs: 10_000,
  forgetMs: 10 * 60_000,
  maxAddresses: 4_096,
};

interface Failures {
  count: number;
  /** When the next attempt may be judged, ms. */
  freeAt: number;
  failedAt: number;
}

export class Attempts {
  readonly #limits: AttemptLimits;
  /** In the order of their last failures. */
  readonly #records: BoundedMap<string, Failures>;

  constructor(limits: AttemptLimits = LIMITS) {
    this.#limits = limits;
    this.#records = new BoundedMap(limits.maxAddresses);
  }

  /** Addresses with failures. */
  get size(): number {
    return this.#records.size;
  }

  /**
   * Takes a turn for an attempt: those from one address are judged one after the other, also the right ones,
   * or many at once would be as good as no pause.
   * @returns milliseconds to wait for it; undefined where it has come too soon to be judged at all
   */
  turn(address: string, now: number): number | undefined {
    const record = this.#records.get(networkOf(address));
    if (record === undefined || this.#isOver(record, now)) return 0;
    const wait = Math.max(0, record.freeAt - now);
    if (wait > this.#limits.longestWaitMs) return undefined;
    record.freeAt = now + wait + this.#pause(record.count);
    return wait;
  }

  failed(address: string, now: number): void {
    const network = networkOf(address);
    const known = this.#records.get(network);
    const isRecent = known !== undefined && !this.#isOver(known, now);
    const count = isRecent ? known.count + 1 : 1;
    const freeAt = Math.max(isRecent ? known.freeAt : 0, now + this.#pause(count));
    this.#records.set(network, { count, freeAt, failedAt: now });
  }

  succeeded(address: string): void {
    this.#records.delete(networkOf(address));
  }

  #isOver({ failedAt }: Failures, now: number): boolean {
    return now - failedAt > this.#limits.forgetMs;
  }

  #pause(failures: number): number {
    const { freeFailures, firstPauseMs, longestPauseMs } = this.#limits;
    if (failures <= freeFailures) return 0;
    return Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - freeFailures - 1));
  }
}

/** An IPv4 address, or the /64 of an IPv6 one: whoever has one address there has them all. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [left = [], right = []] = plain.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
