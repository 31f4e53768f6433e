// One connection to the embedded relay: reads the frames of NIP-01 and NIP-42, answers them, and cuts off
// who reads too slowly. What happens to an event is decided in core.ts.
import type { Filter } from 'nostr-tools';
import type { WebSocket } from 'ws';
import { isEphemeral } from '../../protocol/wire/events.js';
import { parseFrame } from '../../protocol/wire/frame-text.js';
import { ClientAuth } from './client-auth.js';
import { ClientRate } from './client-rate.js';
import type { RelayCore, Verdict } from './core.js';
import type { LiveSubscription } from './deliveries.js';
import type { StoredEvent } from './event-store.js';
import { parseFilters } from './filter-index.js';

/** NIP-01: the longest subscription id. */
const MAX_ID_CHARS = 64;
/** Behind an event in its frame. */
const TAIL = Buffer.from(']');
const RATE_LIMITED = 'rate-limited: slow down';
const AUTH_REQUIRED = 'auth-required: this relay wants to know who you are';

export interface RelayClientOptions {
  readonly ws: WebSocket;
  /** What the client calls this relay: the Host header of its request. */
  readonly host: string;
  readonly core: RelayCore;
}

export class RelayClient {
  readonly #ws: WebSocket;
  readonly #core: RelayCore;
  readonly #auth: ClientAuth;
  readonly #rate: ClientRate;
  readonly #subscriptions = new Map<string, LiveSubscription>();
  /** Events since the client has authenticated. */
  #events = 0;
  /** Events of this client that were taken. */
  #taken = 0;

  constructor({ ws, host, core }: RelayClientOptions) {
    this.#ws = ws;
    this.#core = core;
    this.#auth = new ClientAuth(host);
    this.#rate = new ClientRate(core.behaviour, (isFull) => (isFull ? ws.pause() : ws.resume()));
    const { authRequired, authChallenge } = core.behaviour;
    if (authRequired && authChallenge === 'first') this.#sendChallenge();
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  onMessage(bytes: Buffer): void {
    const frame = parseFrame(bytes);
    const [type, first, ...rest] = frame?.values ?? [];
    if (type === 'EVENT') this.#onEvent(first, bytes.length, frame?.content?.json);
    else if (type === 'AUTH') this.#onAuth(first);
    else if (type === 'REQ' && isSubscriptionId(first)) this.#onReq(first, rest);
    else if (type === 'CLOSE' && isSubscriptionId(first)) this.#end(first);
    else this.#send(['NOTICE', 'error: neither EVENT, REQ, CLOSE nor AUTH as NIP-01 has them']);
  }

  /** Ends what the relay holds for this client. */
  close(): void {
    this.#rate.close();
    for (const id of [...this.#subscriptions.keys()]) this.#end(id);
  }

  #onEvent(value: unknown, bytes: number, content: Buffer | undefined): void {
    if (this.#rate.take(bytes, () => this.#judgeEvent(value, content))) return;
    this.#answer(value, this.#core.refuse(RATE_LIMITED));
  }

  #judgeEvent(value: unknown, content: Buffer | undefined): void {
    if (this.#isForgotten()) this.#askAgain();
    if (this.#isLockedOut()) {
      this.#send(['OK', idOf(value), false, AUTH_REQUIRED]);
      this.#challengeBehind();
    } else this.#core.accept(value, content, (verdict) => this.#answer(value, verdict));
  }

  #answer(value: unknown, { ok, reason }: Verdict): void {
    const { silent, missEveryOk, refusals } = this.#core.behaviour;
    if (ok) this.#taken++;
    const isMissing = ok && missEveryOk > 0 && this.#taken % missEveryOk === 0;
    if (!ok && refusals === 'notice') this.#send(['NOTICE', reason]);
    else if (silent === true || isMissing || (silent && ok && isEphemeralEvent(value))) return;
    else this.#send(['OK', idOf(value), ok, reason]);
  }

  #onReq(id: string, values: readonly unknown[]): void {
    const { sameId } = this.#core.behaviour;
    const isKnown = this.#subscriptions.has(id);
    if (isKnown && sameId === 'ignore') return;
    this.#end(id);
    if (isKnown && sameId === 'close') this.#refuse(id, 'error: that subscription exists');
    else this.#judgeReq(id, parseFilters(values));
  }

  #judgeReq(id: string, filters: Filter[] | undefined): void {
    const { limitZero, maxSubscriptions } = this.#core.behaviour;
    const asksNothing = filters?.some(({ limit }) => limit === 0) ?? false;
    if (this.#isLockedOut()) {
      this.#refuse(id, AUTH_REQUIRED);
      this.#challengeBehind();
    } else if (filters === undefined) this.#refuse(id, 'invalid: malformed filter');
    else if (asksNothing && limitZero === 'refused') {
      this.#refuse(id, 'invalid: the limit of a filter must be at least 1');
    } else if (this.#subscriptions.size >= maxSubscriptions) {
      this.#refuse(id, 'error: too many concurrent REQs');
    } else this.#subscribe(id, filters);
  }

  #refuse(id: string, reason: string): void {
    const isNamed = this.#core.behaviour.refusals === 'named';
    this.#send(isNamed ? ['CLOSED', id, reason] : ['NOTICE', reason]);
  }

  #subscribe(id: string, filters: readonly Filter[]): void {
    const { limitZero, eoseUnlessZero } = this.#core.behaviour;
    const subscription = this.#live(id, filters);
    this.#subscriptions.set(id, subscription);
    for (const stored of this.#core.subscribe(subscription)) subscription.deliver(stored);
    const asksNothing = filters.every(({ limit }) => limit === 0);
    if (!asksNothing || !eoseUnlessZero) this.#send(['EOSE', id]);
    if (!asksNothing || limitZero !== 'ends') return;
    this.#end(id);
    this.#send(['CLOSED', id, '']);
  }

  #live(id: string, filters: readonly Filter[]): LiveSubscription {
    const head = Buffer.from(`["EVENT",${JSON.stringify(id)},`);
    const subscription = {
      filters,
      deliver: ({ json, event }: StoredEvent): boolean => {
        if (this.#subscriptions.get(id) !== subscription || !this.#mayRead(event)) return false;
        this.#transmit(Buffer.concat([head, json, TAIL]));
        return true;
      },
    };
    return subscription;
  }

  #mayRead({ kind, tags }: StoredEvent['event']): boolean {
    if (!this.#core.behaviour.receiversOnly || !isEphemeral(kind)) return true;
    const receivers = tags.filter(([name]) => name === 'p');
    return receivers.length === 0 || receivers.some(([, key = '']) => this.#auth.has(key));
  }

  #end(id: string): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(id);
    this.#core.unsubscribe(subscription);
  }

  #isLockedOut(): boolean {
    const { authRequired, authChallenge } = this.#core.behaviour;
    if (!authRequired || this.#auth.isDone) return false;
    // Switched on after the client came.
    if (authChallenge === 'first' && !this.#auth.isAsked) this.#sendChallenge();
    return true;
  }

  #challengeBehind(): void {
    if (!this.#auth.isAsked) this.#sendChallenge();
  }

  #isForgotten(): boolean {
    const { authAgainAfter } = this.#core.behaviour;
    return authAgainAfter > 0 && this.#auth.isDone && ++this.#events > authAgainAfter;
  }

  #askAgain(): void {
    this.#events = 0;
    this.#sendChallenge();
    for (const id of [...this.#subscriptions.keys()]) {
      this.#end(id);
      this.#send(['CLOSED', id, AUTH_REQUIRED]);
    }
  }

  #sendChallenge(): void {
    this.#send(['AUTH', this.#auth.ask()]);
  }

  #onAuth(value: unknown): void {
    const ok = this.#auth.answer(value);
    if (ok && this.#core.behaviour.authUnanswered) return;
    const reason = ok ? '' : 'invalid: not an answer to the challenge';
    this.#send(['OK', idOf(value), ok, reason]);
  }

  #send(frame: readonly unknown[]): void {
    this.#transmit(JSON.stringify(frame));
  }

  #transmit(text: string | Buffer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.#ws.bufferedAmount > this.#core.behaviour.slowReaderBytes) this.#ws.terminate();
    else this.#ws.send(text, { binary: false });
  }
}

function isSubscriptionId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_CHARS;
}

function isEphemeralEvent(value: unknown): boolean {
  const { kind } = (value ?? {}) as { kind?: unknown };
  return typeof kind === 'number' && isEphemeral(kind);
}

/** The id to answer by, if the client's event has anything like one. */
function idOf(value: unknown): string {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  return typeof id === 'string' ? id.slice(0, MAX_ID_CHARS) : '';
}
