// The subscriptions of one link: REQ, EVENT, EOSE, CLOSED and CLOSE, sent again after every reconnect.
// Hands raw events on: verifying them is the subscriber's work.
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { Backoff } from './connection/backoff.js';

/** Subscriptions of one connection: what strfry allows. */
const MAX_SUBSCRIPTIONS = 200;
/** Pauses before a subscription that the relay closed is asked for again. */
const RETRY = { firstMs: 1_000, maxMs: 60_000 } as const;
/** A subscription that held this long starts its pauses afresh. */
const STABLE_MS = 60_000;

export interface SubscriptionHandlers {
  onEvent(event: NostrEvent): void;
  /** All stored events have been delivered. Called again after a reconnect. */
  onEose?(): void;
  /** The relay ended the subscription; the link asks again, at growing intervals. */
  onClosed?(reason: string): void;
}

export interface Subscription {
  /** Replaces the filters. */
  update(filters: Filter[]): void;
  close(): void;
}

interface Entry {
  filters: Filter[];
  readonly handlers: SubscriptionHandlers;
  readonly backoff: Backoff;
  sentAt: number;
  /** Asked again after AUTH on this connection: a second refusal isn't answered by asking at once. */
  authenticated: boolean;
  retryTimer: NodeJS.Timeout | undefined;
}

export interface SubscriptionsOptions {
  readonly log: Logger;
  /** Sends a frame; drops it when the link is down. */
  send(text: string): void;
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #entries = new Map<string, Entry>();
  #count = 0;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  add(filters: Filter[], handlers: SubscriptionHandlers): Subscription {
    const id = `nws-${++this.#count}`;
    const entry: Entry = {
      filters,
      handlers,
      backoff: new Backoff(RETRY),
      sentAt: 0,
      authenticated: false,
      retryTimer: undefined,
    };
    if (this.#entries.size >= MAX_SUBSCRIPTIONS) {
      const refusal = 'error: too many subscriptions on this link';
      queueMicrotask(() => this.#guard(() => handlers.onClosed?.(refusal)));
    } else {
      this.#entries.set(id, entry);
      this.#request(id);
    }
    return {
      update: (next) => {
        entry.filters = next;
        this.#request(id);
      },
      close: () => this.#close(id),
    };
  }

  /** The link is up again. */
  requestAll(): void {
    for (const [id, entry] of this.#entries) {
      entry.authenticated = false;
      this.#request(id);
    }
  }

  /** Asks again after AUTH; false if that was tried before on this connection. */
  requestAuthenticated(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.authenticated) return false;
    entry.authenticated = true;
    this.#request(id);
    return true;
  }

  onEvent(id: string, event: NostrEvent): void {
    this.#guard(() => this.#entries.get(id)?.handlers.onEvent(event));
  }

  onEose(id: string): void {
    this.#guard(() => this.#entries.get(id)?.handlers.onEose?.());
  }

  onClosed(id: string, reason: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    clearTimeout(entry.retryTimer);
    if (performance.now() - entry.sentAt >= STABLE_MS) entry.backoff.reset();
    entry.retryTimer = setTimeout(() => this.#request(id), entry.backoff.next());
    this.#guard(() => entry.handlers.onClosed?.(reason));
  }

  /** Ends the waiting for retries: the link is down, and coming up sends everything again. */
  pause(): void {
    for (const entry of this.#entries.values()) clearTimeout(entry.retryTimer);
  }

  clear(): void {
    this.pause();
    this.#entries.clear();
  }

  /** Sends the REQ, for the first time or again. */
  #request(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    clearTimeout(entry.retryTimer);
    entry.sentAt = performance.now();
    this.#options.send(JSON.stringify(['REQ', id, ...entry.filters]));
  }

  #close(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    clearTimeout(entry.retryTimer);
    this.#entries.delete(id);
    this.#options.send(JSON.stringify(['CLOSE', id]));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.log.error({ err: error }, 'a subscriber failed on what a relay sent');
    }
  }
}
