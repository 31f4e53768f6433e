// One connection to the embedded relay: reads the frames of NIP-01 and NIP-42, answers them, and cuts off
// who reads too slowly. What happens to an event is decided in core.ts.
import { randomUUID } from 'node:crypto';
import type { Filter } from 'nostr-tools';
import type { WebSocket } from 'ws';
import { verifyEvent } from '../../crypto/signer.js';
import { tagValue } from '../../protocol/wire/events.js';
import type { RelayCore, Verdict } from './core.js';
import type { LiveSubscription } from './deliveries.js';
import { parseFilters } from './filter-index.js';

export const MAX_SUBSCRIPTIONS = 200;
/** NIP-01: the longest subscription id. */
const MAX_ID_CHARS = 64;
const AUTH_KIND = 22242;
/** NIP-42: an answer to a challenge is about ten minutes old at most. */
const MAX_AUTH_AGE_S = 600;
const AUTH_REQUIRED = 'auth-required: this relay wants to know who you are';

export interface RelayClientOptions {
  readonly ws: WebSocket;
  /** What the client calls this relay: the Host header of its request. */
  readonly host: string;
  readonly core: RelayCore;
}

export class RelayClient {
  readonly #ws: WebSocket;
  readonly #host: string;
  readonly #core: RelayCore;
  readonly #subscriptions = new Map<string, LiveSubscription>();
  #challenge: string | undefined;
  #isAuthenticated = false;

  constructor({ ws, host, core }: RelayClientOptions) {
    this.#ws = ws;
    this.#host = host;
    this.#core = core;
    if (core.behaviour.authRequired) this.#sendChallenge();
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  onMessage(text: string): void {
    const frame = parseFrame(text);
    const [type, first, ...rest] = frame ?? [];
    if (type === 'EVENT') this.#onEvent(first);
    else if (type === 'AUTH') this.#onAuth(first);
    else if (type === 'REQ' && isSubscriptionId(first)) this.#onReq(first, rest);
    else if (type === 'CLOSE' && isSubscriptionId(first)) this.#end(first);
    else this.#send(['NOTICE', 'error: neither EVENT, REQ, CLOSE nor AUTH as NIP-01 has them']);
  }

  /** Ends what the relay holds for this client. */
  close(): void {
    for (const id of [...this.#subscriptions.keys()]) this.#end(id);
  }

  #onEvent(value: unknown): void {
    const answer = ({ ok, reason }: Verdict): void => {
      if (!this.#core.behaviour.silent) this.#send(['OK', idOf(value), ok, reason]);
    };
    if (this.#isLockedOut()) answer({ ok: false, reason: AUTH_REQUIRED });
    else this.#core.accept(value, answer);
  }

  #onReq(id: string, values: readonly unknown[]): void {
    this.#end(id);
    const filters = parseFilters(values);
    if (this.#isLockedOut()) this.#send(['CLOSED', id, AUTH_REQUIRED]);
    else if (filters === undefined) this.#send(['CLOSED', id, 'invalid: malformed filter']);
    else if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      this.#send(['CLOSED', id, 'error: too many concurrent REQs']);
    } else this.#subscribe(id, filters);
  }

  #subscribe(id: string, filters: readonly Filter[]): void {
    const subscription = this.#live(id, filters);
    this.#subscriptions.set(id, subscription);
    for (const { json } of this.#core.subscribe(subscription)) subscription.deliver(json);
    this.#send(['EOSE', id]);
  }

  #live(id: string, filters: readonly Filter[]): LiveSubscription {
    const prefix = `["EVENT",${JSON.stringify(id)},`;
    const subscription = {
      filters,
      deliver: (json: string): boolean => {
        if (this.#subscriptions.get(id) !== subscription) return false;
        this.#transmit(`${prefix}${json}]`);
        return true;
      },
    };
    return subscription;
  }

  #end(id: string): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(id);
    this.#core.unsubscribe(subscription);
  }

  #isLockedOut(): boolean {
    if (!this.#core.behaviour.authRequired || this.#isAuthenticated) return false;
    if (this.#challenge === undefined) this.#sendChallenge(); // switched on after the client came
    return true;
  }

  #sendChallenge(): void {
    this.#challenge = randomUUID();
    this.#send(['AUTH', this.#challenge]);
  }

  #onAuth(value: unknown): void {
    const ok = this.#isAnswer(value);
    this.#isAuthenticated ||= ok;
    const reason = ok ? '' : 'invalid: not an answer to the challenge';
    this.#send(['OK', idOf(value), ok, reason]);
  }

  #isAnswer(value: unknown): boolean {
    if (!verifyEvent(value) || value.kind !== AUTH_KIND) return false;
    const relay = tagValue(value, 'relay') ?? '';
    const ageS = Math.abs(Date.now() / 1000 - value.created_at);
    return (
      this.#challenge !== undefined &&
      tagValue(value, 'challenge') === this.#challenge &&
      URL.canParse(relay) &&
      new URL(relay).host === this.#host &&
      ageS <= MAX_AUTH_AGE_S
    );
  }

  #send(frame: readonly unknown[]): void {
    this.#transmit(JSON.stringify(frame));
  }

  #transmit(text: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.#ws.bufferedAmount > this.#core.behaviour.slowReaderBytes) this.#ws.terminate();
    else this.#ws.send(text);
  }
}

function parseFrame(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSubscriptionId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_CHARS;
}

/** The id to answer by, if the client's event has anything like one. */
function idOf(value: unknown): string {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  return typeof id === 'string' ? id.slice(0, MAX_ID_CHARS) : '';
}
