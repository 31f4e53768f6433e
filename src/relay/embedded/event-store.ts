// Stored events of the embedded relay: replacement, expiry, bounds and queries. In memory, and gone with it.
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { matchFilter } from 'nostr-tools/filter';
import { isExpired, tagValue } from '../../protocol/wire/events.js';

const MAX_STORED_EVENTS = 10_000;
const MAX_STORED_BYTES = 64 * 1024 * 1024;

export interface StoredEvent {
  /** With empty content, which is in the JSON and large. */
  readonly event: NostrEvent;
  /** Normalised JSON in UTF-8, made once for all who receive it. */
  readonly json: Buffer;
}

interface Kept extends StoredEvent {
  /** Unix seconds. */
  readonly forgetAt: number;
}

export class EventStore {
  /** By id, oldest first in order of arrival. */
  readonly #events = new Map<string, Kept>();
  /** Id of the event at an address, for replaceable and addressable kinds. */
  readonly #addresses = new Map<string, string>();
  #bytes = 0;

  get size(): number {
    return this.#events.size;
  }

  has(id: string): boolean {
    return this.#events.has(id);
  }

  /** False if a newer event has the same address. `forgetAt` in Unix seconds. */
  add(stored: StoredEvent, forgetAt = Number.POSITIVE_INFINITY): boolean {
    const { event, json } = stored;
    const address = addressOf(event);
    if (address !== undefined) {
      const present = this.#events.get(this.#addresses.get(address) ?? '');
      if (present !== undefined && isNewer(present.event, event)) return false;
      if (present !== undefined) this.#remove(present);
      this.#addresses.set(address, event.id);
    }
    this.#events.set(event.id, { ...stored, forgetAt });
    this.#bytes += json.length;
    this.#shrink();
    return true;
  }

  /** What matches any of the filters, newest first, each filter with its own limit. */
  query(filters: readonly Filter[], now: number): StoredEvent[] {
    const found = new Map<string, StoredEvent>();
    for (const filter of filters) {
      if (filter.limit === 0) continue;
      const matches = [...this.#events.values()].filter(
        ({ event, forgetAt }) =>
          forgetAt > now && matchFilter(filter, event) && !isExpired(event, now),
      );
      matches.sort(newestFirst);
      for (const match of matches.slice(0, filter.limit)) found.set(match.event.id, match);
    }
    return [...found.values()].sort(newestFirst);
  }

  #shrink(): void {
    for (const oldest of this.#events.values()) {
      if (this.#events.size <= MAX_STORED_EVENTS && this.#bytes <= MAX_STORED_BYTES) return;
      this.#remove(oldest);
    }
  }

  #remove({ event, json }: Kept): void {
    this.#events.delete(event.id);
    this.#bytes -= json.length;
    const address = addressOf(event);
    if (address !== undefined) this.#addresses.delete(address);
  }
}

/** NIP-01: what an event replaces, and is replaced by. */
function addressOf(event: NostrEvent): string | undefined {
  const { kind, pubkey } = event;
  if (kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)) return `${kind}:${pubkey}`;
  if (kind < 30_000 || kind >= 40_000) return undefined;
  return `${kind}:${pubkey}:${tagValue(event, 'd') ?? ''}`;
}

/** NIP-01: the later one stays; of two from the same second, the one with the lower id. */
function isNewer(a: NostrEvent, b: NostrEvent): boolean {
  return a.created_at === b.created_at ? a.id < b.id : a.created_at > b.created_at;
}

function newestFirst(a: StoredEvent, b: StoredEvent): number {
  return isNewer(a.event, b.event) ? -1 : 1;
}
