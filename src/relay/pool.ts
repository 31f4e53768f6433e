// All links of the process: one a relay, reference counted, closed when nobody has needed it for a while.
// Which relay carries which event is the session's choice; this room only knows which are up.
import { setMaxListeners } from 'node:events';
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { NwsError } from '../errors.js';
import { normalizeRelayUrl } from '../protocol/names/address.js';
import { NetworkWatch } from './connection/network-watch.js';
import type { AgentFor } from './connection/proxy-agent.js';
import { Suspension } from './connection/suspension.js';
import { RelayLedger } from './counts.js';
import { type AuthSigners, type RelayLink, WebSocketLink } from './link.js';
import type { RelayEvent } from './link-types.js';
import { type BroadcastResult, broadcastTo, queryLinks } from './query.js';

/** Links at once. A name can list any relays: a stranger must not make us hold connections without end. */
const MAX_LINKS = 64;
/** How long a link that nobody holds stays open. */
const IDLE_MS = 60_000;

export interface RelayPoolOptions {
  readonly log: Logger;
  readonly agentFor?: AgentFor | undefined;
  /** Who answers AUTH (NIP-42), by the relay's URL. */
  readonly authSigners?: AuthSigners | undefined;
  /** Bytes of JSON; default 65,536. */
  readonly eventLimitBytes?: number | undefined;
  /** Told of every relay that comes and goes. */
  readonly onRelay?: ((event: RelayEvent) => void) | undefined;
  /** Default 60,000. */
  readonly idleMs?: number | undefined;
}

interface Entry {
  readonly link: WebSocketLink;
  holders: number;
  idleTimer: NodeJS.Timeout | undefined;
}

export class RelayPool {
  readonly #options: RelayPoolOptions;
  /** What passed over links, also over those that are closed by now. */
  readonly ledger = new RelayLedger();
  /** By canonical URL. */
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();
  readonly #suspension: Suspension;
  readonly #network: NetworkWatch;

  constructor(options: RelayPoolOptions) {
    this.#options = options;
    // Every query that is under way listens for the end; there may be many at once.
    setMaxListeners(0, this.#closing.signal);
    this.#suspension = new Suspension((gapMs) => {
      options.log.info({ gapMs: Math.round(gapMs) }, 'the process stood still: connecting anew');
      for (const link of this.#sockets()) link.renew();
    });
    this.#network = new NetworkWatch(() => this.#sockets());
  }

  /**
   * The link to a relay, made if need be; give it back with release().
   * @throws NwsError `bad_name` (no relay URL), `connection_limit_reached`, `shutting_down`.
   */
  acquire(url: string): RelayLink {
    const key = normalizeRelayUrl(url);
    if (this.#closing.signal.aborted) throw shuttingDown();
    const entry = this.#entries.get(key) ?? this.#add(key);
    entry.holders++;
    clearTimeout(entry.idleTimer);
    return entry.link;
  }

  /** Ends one acquire(). */
  release(url: string): void {
    const key = normalizeRelayUrl(url);
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.holders === 0) return;
    if (--entry.holders > 0) return;
    const idleMs = this.#options.idleMs ?? IDLE_MS;
    entry.idleTimer = setTimeout(() => void this.#drop(key), idleMs).unref();
  }

  *#sockets(): Iterable<WebSocketLink> {
    for (const { link } of this.#entries.values()) yield link;
  }

  links(): readonly RelayLink[] {
    return [...this.#entries.values()].map((entry) => entry.link);
  }

  /** Something on the network is gone: connections are asked whether they stand, and those that don't are made anew. */
  kick(): void {
    for (const link of this.#sockets()) link.kick();
  }

  /**
   * The first of these relays, which the caller has acquired, that is up.
   * Rejects with relay_unreachable, naming each relay and what is wrong with it, or shutting_down.
   */
  async whenUp(urls: readonly string[], timeoutMs: number): Promise<RelayLink> {
    const links = urls.flatMap((url) => this.#entries.get(normalizeRelayUrl(url))?.link ?? []);
    const { signal } = this.#closing;
    if (signal.aborted) throw shuttingDown();
    if (links.length === 0) throw new NwsError('no_relay', 'no relay is known to wait for');
    return links.find((link) => link.isUp) ?? firstUp(links, timeoutMs, signal);
  }

  /**
   * Stored events that match: verified, without duplicates, from all relays that answer in time. It
   * ends soon after the first answer that brought events. Rejects with no_relay or relay_unreachable.
   */
  async query(urls: readonly string[], filter: Filter, timeoutMs: number): Promise<NostrEvent[]> {
    return this.#holding(urls, async (links) => {
      const { signal } = this.#closing;
      const { events, reached } = await queryLinks(links, filter, timeoutMs, signal);
      if (signal.aborted) throw shuttingDown();
      if (!reached) throw unreachable(links);
      return events;
    });
  }

  /**
   * Publishes an event on each of these relays; settles soon after the first that accepts it, or when
   * all have answered. Rejects only with no_relay and what acquire() throws.
   */
  async broadcast(urls: readonly string[], event: NostrEvent): Promise<BroadcastResult> {
    return this.#holding(urls, (links) => broadcastTo(links, event, this.#closing.signal));
  }

  async close(): Promise<void> {
    this.#suspension.close();
    this.#network.close();
    this.#closing.abort();
    await Promise.all([...this.#entries.keys()].map((key) => this.#drop(key)));
  }

  #add(url: string): Entry {
    if (this.#entries.size >= MAX_LINKS) this.#dropIdle();
    const { log, agentFor, authSigners, eventLimitBytes } = this.#options;
    const counts = this.ledger.of(url);
    const link = new WebSocketLink({ url, log, agentFor, authSigners, eventLimitBytes, counts });
    this.#watch(link);
    const entry: Entry = { link, holders: 0, idleTimer: undefined };
    this.#entries.set(url, entry);
    return entry;
  }

  #watch(link: RelayLink): void {
    const { onRelay } = this.#options;
    if (onRelay === undefined) return;
    const { url } = link;
    link.on('up', () => onRelay({ url, state: 'up' }));
    link.on('down', (reason) => onRelay({ url, state: 'down', reason }));
    link.on('unreachable', (reason) => onRelay({ url, state: 'unreachable', reason }));
  }

  #dropIdle(): void {
    for (const [url, entry] of this.#entries) {
      if (entry.holders === 0) return void this.#drop(url);
    }
    throw new NwsError('connection_limit_reached', `already connected to ${MAX_LINKS} relays`, {
      hint: 'wait until streams over other relays have ended',
    });
  }

  async #drop(url: string): Promise<void> {
    const entry = this.#entries.get(url);
    if (entry === undefined) return;
    clearTimeout(entry.idleTimer);
    this.#entries.delete(url);
    await entry.link.close();
  }

  async #holding<T>(
    urls: readonly string[],
    use: (links: readonly RelayLink[]) => Promise<T>,
  ): Promise<T> {
    const keys = [...new Set(urls.map(normalizeRelayUrl))];
    if (keys.length === 0) throw new NwsError('no_relay', 'no relay is known to ask');
    const held: string[] = [];
    try {
      const links = keys.map((key) => {
        const link = this.acquire(key);
        held.push(key);
        return link;
      });
      return await use(links);
    } finally {
      for (const key of held) this.release(key);
    }
  }
}

function firstUp(
  links: readonly RelayLink[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<RelayLink> {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const settle = (act: () => void): void => {
      over.abort();
      clearTimeout(timer);
      for (const [link, onUp] of listeners) link.off('up', onUp);
      act();
    };
    const timer = setTimeout(() => settle(() => reject(unreachable(links))), timeoutMs);
    const listeners = links.map((link) => [link, () => settle(() => resolve(link))] as const);
    for (const [link, onUp] of listeners) link.once('up', onUp);
    signal.addEventListener('abort', () => settle(() => reject(shuttingDown())), {
      signal: over.signal,
    });
    for (const link of links) link.kick();
  });
}

function unreachable(links: readonly RelayLink[]): NwsError {
  const reasons = links.map((link) => `${link.url}: ${link.lastError ?? 'not connected in time'}`);
  return new NwsError('relay_unreachable', `no relay is reachable (${reasons.join('; ')})`, {
    hint: 'check the relay addresses and the network',
  });
}

function shuttingDown(): NwsError {
  return new NwsError('shutting_down', 'the relay pool is closed');
}
