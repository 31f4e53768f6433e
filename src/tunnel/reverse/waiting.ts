// Connections to the reverse listener that have yet to present a key: a short time for each, a bounded number in all
// and from one network. What a key is good for is expected.ts's matter.

import type { Socket } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Characters of a UUID, each one byte. */
const KEY_BYTES = 36;

export interface WaitingLimits {
  /** How long a connection may take to present a key. */
  readonly presentMs: number;
  /** Connections at once that have not presented one. */
  readonly maxWaiting: number;
  /** Of these, from one address; an IPv6 host has a whole /64 to itself. */
  readonly maxWaitingPerAddress: number;
}

/** Why a connection got nothing before it had presented a key. */
export type WaitingRefusal = 'too_slow' | 'crowded' | 'closed_early';

export interface WaitingOptions {
  readonly limits: WaitingLimits;
  readonly onKey: (socket: Socket, key: string) => void;
  readonly onRefused: (reason: WaitingRefusal) => void;
}

interface Waiter {
  readonly network: string;
  /** Ends the wait; with a reason, the connection as well. */
  readonly leave: (refusal?: WaitingRefusal) => void;
}

export class ReverseWaiting {
  readonly #options: WaitingOptions;
  /** By network, the longest wait first. A network without waiters has no entry. */
  readonly #waiters = new Map<string, Set<Waiter>>();
  #size = 0;

  constructor(options: WaitingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Waits for the connection's key. Where too many wait, the longest wait ends, in the network that has the most: who
   * comes to present a key does it at once, so that a flood of idle connections pushes out its own.
   */
  add(socket: Socket): void {
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      this.#options.onRefused('closed_early');
      return;
    }
    const { maxWaiting, maxWaitingPerAddress } = this.#options.limits;
    const network = networkOf(socket.remoteAddress);
    const neighbours = this.#waiters.get(network) ?? new Set();
    if (neighbours.size >= maxWaitingPerAddress) oldestOf(neighbours)?.leave('crowded');
    else if (this.#size >= maxWaiting) oldestOf(this.#busiest())?.leave('crowded');
    this.#watch(socket, network);
  }

  close(): void {
    for (const waiters of this.#waiters.values()) {
      for (const waiter of waiters) waiter.leave('closed_early');
    }
  }

  #watch(socket: Socket, network: string): void {
    const onReadable = (): void => {
      // What comes behind the key stays in the socket.
      const bytes: Buffer | null = socket.read(KEY_BYTES);
      if (bytes === null) return;
      const isWhole = bytes.length === KEY_BYTES;
      leave(isWhole ? undefined : 'closed_early');
      if (isWhole) this.#options.onKey(socket, bytes.toString('latin1'));
    };
    const onEnd = (): void => leave('closed_early');
    const leave = (refusal?: WaitingRefusal): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
      this.#remove(waiter);
      if (refusal === undefined) return;
      socket.destroy();
      this.#options.onRefused(refusal);
    };
    const timer = setTimeout(() => leave('too_slow'), this.#options.limits.presentMs);
    const waiter = { network, leave };
    this.#insert(waiter);
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd);
  }

  #insert(waiter: Waiter): void {
    const neighbours = this.#waiters.get(waiter.network);
    if (neighbours === undefined) this.#waiters.set(waiter.network, new Set([waiter]));
    else neighbours.add(waiter);
    this.#size += 1;
  }

  #remove(waiter: Waiter): void {
    const neighbours = this.#waiters.get(waiter.network);
    if (!neighbours?.delete(waiter)) return;
    if (neighbours.size === 0) this.#waiters.delete(waiter.network);
    this.#size -= 1;
  }

  /** At most `maxWaiting` networks to look through. */
  #busiest(): ReadonlySet<Waiter> {
    let busiest: ReadonlySet<Waiter> = new Set();
    for (const waiters of this.#waiters.values()) {
      if (waiters.size > busiest.size) busiest = waiters;
    }
    return busiest;
  }
}

function oldestOf(waiters: ReadonlySet<Waiter>): Waiter | undefined {
  return waiters.values().next().value;
}

/** One name for all addresses that one host can easily have: an IPv4 address, in whatever form, or an IPv6 /64. */
export function networkOf(address: string): string {
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return parsed.toByteArray().slice(0, 8).join('.');
}
