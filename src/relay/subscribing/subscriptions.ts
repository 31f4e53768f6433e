// The subscriptions of one link: REQ, EVENT, EOSE, CLOSED and CLOSE, sent again after every reconnect.
// Hands raw events on: verifying them is the subscriber's work.
//
// Relays differ in what a REQ does whose id is in use: some replace the old one, some ignore the new one, some end
// both, some are deaf in between. So new filters are a new REQ beside the old one, which ends when the new one stands.
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import type { LongContent } from '../../protocol/wire/frame-text.js';
import { Backoff } from '../connection/backoff.js';
import { isOverSubscribed, mayRefuseSubscription } from '../notices.js';
import { type Asked, asksNothing, isWanted, withoutZero } from './live-filter.js';

/** Subscriptions of one connection: what strfry allows. */
const MAX_SUBSCRIPTIONS = 200;
/** Pauses before a subscription that the relay closed is asked for again. */
const RETRY = { firstMs: 1_000, maxMs: 60_000 } as const;
/** A subscription that held this long starts its pauses afresh. */
const STABLE_MS = 60_000;
/** Without EOSE and without CLOSED for this long, a subscription stands: some relays say no EOSE for `limit: 0`. */
const STANDS_MS = 2_000;
/** How long EOSE may take after a NOTICE that may be a refusal. */
const NOTICE_MS = 500;
/** Two questions behind an authentication are at least this far apart: a relay that wants it again and again rests. */
const AUTH_PAUSE_MS = 2_000;
/** What says nothing against `limit: 0`. */
const OTHER_REASON = /^(auth-required|restricted|rate-limited|blocked|pow|shutdown):/;

export interface SubscriptionHandlers {
  /** @param content where it is long base64 */
  onEvent(event: NostrEvent, content?: LongContent): void;
  /** All stored events have been delivered. Called again after a reconnect. */
  onEose?(): void;
  /** The relay ended the subscription; the link asks again, at growing intervals. */
  onClosed?(reason: string): void;
  /** While the relay doesn't serve it, it counts as deaf. */
  readonly isStanding?: boolean;
}

export interface Subscription {
  /** Replaces the filters. */
  update(filters: Filter[]): void;
  close(): void;
}

interface Entry {
  readonly name: string;
  filters: Filter[];
  readonly handlers: SubscriptionHandlers;
  readonly backoff: Backoff;
  requests: number;
  /** What the relay serves. */
  live: Asked | undefined;
  /** What is to take its place. */
  asked: Asked | undefined;
  /** Last question behind an authentication, on performance.now(). */
  authenticatedAt: number;
  /** Why the relay doesn't serve it. */
  refusal: string | undefined;
  retryTimer: NodeJS.Timeout | undefined;
  standsTimer: NodeJS.Timeout | undefined;
}

export interface SubscriptionsOptions {
  readonly log: Logger;
  readonly url: string;
  /** Sends a frame; drops it when the link is down. */
  send(text: string): void;
  /** `deafness` may have changed. */
  onHearing(): void;
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #entries = new Set<Entry>();
  /** By the ids under which they are asked for and served. */
  readonly #byId = new Map<string, Entry>();
  #count = 0;
  #refusesZero = false;
  #isDeafnessReported = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Why a standing subscription isn't served, if one isn't. */
  get deafness(): string | undefined {
    for (const { handlers, refusal, live } of this.#entries) {
      if (handlers.isStanding && live === undefined && refusal !== undefined) return refusal;
    }
    return undefined;
  }

  add(filters: Filter[], handlers: SubscriptionHandlers): Subscription {
    const entry: Entry = {
      ...{ name: `nws-${++this.#count}`, filters, handlers, backoff: new Backoff(RETRY) },
      ...{ requests: 0, live: undefined, asked: undefined, refusal: undefined },
      ...{ authenticatedAt: Number.NEGATIVE_INFINITY },
      ...{ retryTimer: undefined, standsTimer: undefined },
    };
    if (this.#entries.size >= MAX_SUBSCRIPTIONS) {
      const refusal = 'error: too many subscriptions on this link';
      queueMicrotask(() => this.#guard(() => handlers.onClosed?.(refusal)));
    } else {
      this.#entries.add(entry);
      this.#request(entry);
    }
    return {
      update: (next) => {
        entry.filters = next;
        this.#request(entry);
      },
      close: () => this.#remove(entry),
    };
  }

  /** The link is up again: nothing of before is served. */
  requestAll(): void {
    this.#byId.clear();
    for (const entry of this.#entries) {
      entry.live = entry.asked = undefined;
      entry.authenticatedAt = Number.NEGATIVE_INFINITY;
      this.#request(entry);
    }
  }

  /** Asks again after AUTH; false if that was tried a moment ago. */
  requestAuthenticated(id: string): boolean {
    const entry = this.#byId.get(id);
    const now = performance.now();
    if (entry === undefined || now - entry.authenticatedAt < AUTH_PAUSE_MS) return false;
    entry.authenticatedAt = now;
    if (entry.live?.id === id) this.#end(entry, 'live');
    this.#request(entry);
    return true;
  }

  onEvent(id: string, event: NostrEvent, content?: LongContent): void {
    const entry = this.#byId.get(id);
    const request = entry?.asked?.id === id ? entry.asked : entry?.live;
    if (request !== undefined && !isWanted(event, request)) return;
    this.#guard(() => entry?.handlers.onEvent(event, content));
  }

  onEose(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    if (entry.asked?.id === id) this.#stands(entry);
    this.#guard(() => entry.handlers.onEose?.());
  }

  onClosed(id: string, reason: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#byId.delete(id);
    const wasAsked = entry.asked?.id === id;
    const { sentAt } = (wasAsked ? entry.asked : entry.live)!;
    if (wasAsked) entry.asked = undefined;
    else entry.live = undefined;
    // A newer one is on its way.
    if (!wasAsked && entry.asked !== undefined) return;
    if (performance.now() - sentAt >= STABLE_MS) entry.backoff.reset();
    if (this.#findsAnotherWay(entry, reason)) this.#request(entry);
    else this.#refused(entry, reason);
  }

  /** A NOTICE names no subscription: one that gets no answer behind it was refused by it. */
  onNotice(text: string): void {
    if (!mayRefuseSubscription(text)) return;
    for (const entry of this.#entries) {
      const id = entry.asked?.id;
      if (id === undefined) continue;
      clearTimeout(entry.standsTimer);
      entry.standsTimer = setTimeout(() => {
        this.#options.send(JSON.stringify(['CLOSE', id]));
        this.onClosed(id, text);
      }, NOTICE_MS);
    }
  }

  /** Ends the waiting for retries: the link is down, and coming up sends everything again. */
  pause(): void {
    for (const entry of this.#entries) this.#clearTimers(entry);
  }

  clear(): void {
    this.pause();
    this.#entries.clear();
    this.#byId.clear();
  }

  /** Sends the REQ, for the first time or again, beside one that is served. */
  #request(entry: Entry): void {
    if (!this.#entries.has(entry)) return;
    this.#clearTimers(entry);
    const superseded = entry.asked;
    const id = `${entry.name}-${++entry.requests}`;
    const filters = this.#refusesZero ? withoutZero(entry.filters) : entry.filters;
    const skipsStored = this.#refusesZero && asksNothing(entry.filters);
    entry.asked = { id, sentAt: performance.now(), sentAtS: Date.now() / 1_000, skipsStored };
    this.#byId.set(id, entry);
    entry.standsTimer = setTimeout(() => this.#stands(entry), STANDS_MS);
    this.#options.send(JSON.stringify(['REQ', id, ...filters]));
    // Behind the new one, so that nothing is missed in between.
    if (superseded !== undefined) this.#forget(superseded);
  }

  #stands(entry: Entry): void {
    clearTimeout(entry.standsTimer);
    if (entry.asked === undefined) return;
    this.#end(entry, 'live');
    entry.live = { ...entry.asked, skipsStored: false };
    entry.asked = undefined;
    entry.refusal = undefined;
    this.#reportHearing();
  }

  /** Whether there is another way to ask that may please the relay more. */
  #findsAnotherWay(entry: Entry, reason: string): boolean {
    if (isOverSubscribed(reason)) {
      // Room for one alone: the old one makes way for the new one.
      return this.#end(entry, 'live');
    }
    if (this.#refusesZero || !asksNothing(entry.filters) || OTHER_REASON.test(reason)) return false;
    this.#refusesZero = true;
    const { log, url } = this.#options;
    log.info({ relay: url, reason, habit: 'refuses limit 0' }, 'relay is asked for what is new');
    return true;
  }

  #refused(entry: Entry, reason: string): void {
    entry.refusal = reason;
    entry.retryTimer = setTimeout(() => this.#request(entry), entry.backoff.next());
    this.#reportHearing();
    this.#guard(() => entry.handlers.onClosed?.(reason));
  }

  #reportHearing(): void {
    const { log, url, onHearing } = this.#options;
    const { deafness: reason } = this;
    if ((reason !== undefined) !== this.#isDeafnessReported) {
      this.#isDeafnessReported = reason !== undefined;
      if (reason === undefined) log.info({ relay: url }, 'relay serves our subscription again');
      else log.warn({ relay: url, reason }, 'relay ends our subscription: nothing is heard there');
    }
    this.#guard(onHearing);
  }

  /** Ends what is asked for or served, if anything is. */
  #end(entry: Entry, which: 'live' | 'asked'): boolean {
    const request = entry[which];
    if (request === undefined) return false;
    entry[which] = undefined;
    this.#forget(request);
    return true;
  }

  #forget({ id }: Asked): void {
    if (this.#byId.delete(id)) this.#options.send(JSON.stringify(['CLOSE', id]));
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    this.#clearTimers(entry);
    this.#end(entry, 'live');
    this.#end(entry, 'asked');
    this.#reportHearing();
  }

  #clearTimers(entry: Entry): void {
    clearTimeout(entry.retryTimer);
    clearTimeout(entry.standsTimer);
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.log.error({ err: error }, 'a subscriber failed on what a relay sent');
    }
  }
}
