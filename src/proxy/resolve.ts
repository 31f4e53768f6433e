// What a host means: aliases and names to an exit's key, its relays and the name to send it.
// Decoding names belongs to protocol/address; nothing here opens a connection.

import type { Filter, Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { BoundedMap } from '../common/bounded.js';
import { NwsError, toNwsError } from '../errors.js';
import {
  type Address,
  decodeHost,
  isNostrHost,
  MAX_RELAYS,
  normalizeRelayUrl,
} from '../protocol/names/address.js';
import { canonicalName } from '../protocol/names/alias.js';
import { KIND, relaysOfList } from '../protocol/wire/events.js';
import { Aliases, type Book } from './names/aliases.js';

/** How long a request may wait for an exit's NIP-65 list. */
const LIST_TIMEOUT_MS = 2_000;
/** How long a list is believed. */
const LIST_LIFETIME_MS = 5 * 60_000;
/** Lists that are remembered. */
const MAX_LISTS = 1_024;

/** Where stored events come from: a RelayPool. */
export interface EventSource {
  query(urls: readonly string[], filter: Filter, timeoutMs: number): Promise<NostrEvent[]>;
}

export interface DecodedHost {
  /** What the client calls it: lower case, no trailing dot. Certificates and SNI carry this name. */
  readonly host: string;
  /** The name to send to the exit: an alias is replaced by what it stands for. */
  readonly destination: string;
  /** The exit's key: 32 bytes, lower-case hex. */
  readonly pubkey: string;
  /** Relays, best first, each once. */
  readonly relays: readonly string[];
  /** Which kind of text the key came from. */
  readonly source: 'name' | 'npub' | 'nprofile' | 'alias';
}

/** With one relay at least. */
export interface ResolvedHost extends DecodedHost {
  /** Who named the relays, in the order of `relays`. */
  readonly relaySources: readonly ('name' | 'settings' | 'relay-list')[];
}

export interface HostResolverOptions {
  /** The entry's own relays, for names that carry none. */
  readonly relays: readonly string[];
  /** Name → `.nostr` name, npub or nprofile. */
  readonly aliases: ReadonlyMap<string, string>;
  /** More of them, which may change meanwhile. */
  readonly book?: Book | undefined;
  readonly events: EventSource;
  readonly log: Logger;
}

export class HostResolver {
  readonly #relays: readonly string[];
  readonly aliases: Aliases;
  readonly #events: EventSource;
  readonly #log: Logger;
  readonly #lists = new BoundedMap<string, { relays: Promise<string[]>; until: number }>(MAX_LISTS);

  constructor(options: HostResolverOptions) {
    this.#relays = options.relays;
    this.aliases = new Aliases(options.aliases, options.book, options.log);
    this.#events = options.events;
    this.#log = options.log;
  }

  /** Whether a host belongs to the tunnel and not to the clear web. */
  isNostr(host: string): boolean {
    return isNostrHost(host) || this.aliases.get(host) !== undefined;
  }

  /**
   * What the text says by itself, without asking a relay.
   * @throws NwsError `bad_name` for what can't be decoded.
   */
  decode(text: string): DecodedHost {
    const host = canonicalName(text);
    const alias = this.aliases.get(host);
    const destination = canonicalName(alias ?? host);
    const { pubkey, relays } = this.#decode(destination);
    const source = alias === undefined ? kindOf(destination) : 'alias';
    return { host, destination, pubkey, source, relays: firstOf(relays) };
  }

  /**
   * Where a host is found. A name without relays costs a query of the entry's own, once in some minutes.
   * @throws NwsError `bad_name` for what can't be decoded, `no_relay` where no relay is known.
   */
  async resolve(text: string): Promise<ResolvedHost> {
    const found = this.decode(text);
    const { host, pubkey } = found;
    if (found.relays.length > 0) return { ...found, relaySources: ['name'] };
    const listed = this.#relays.length > 0 ? await this.#relayList(pubkey) : [];
    const relays = firstOf([...this.#relays, ...listed]);
    if (relays.length === 0) throw noRelay(host);
    const fromList = listed.some((url) => relays.includes(url) && !this.#relays.includes(url));
    return { ...found, relays, relaySources: fromList ? ['settings', 'relay-list'] : ['settings'] };
  }

  #decode(name: string): Address {
    try {
      return decodeHost(name);
    } catch (error) {
      const { code, message } = toNwsError(error);
      const meant = this.aliases.nearest(name);
      if (meant === undefined) throw error;
      throw new NwsError(code, message, { hint: `did you mean ${meant}?`, cause: error });
    }
  }

  /** The exit's NIP-65 list. Relays that can't be asked, or have none, leave it empty. */
  #relayList(pubkey: string): Promise<string[]> {
    const known = this.#lists.get(pubkey);
    if (known !== undefined && known.until > Date.now()) return known.relays;
    const relays = this.#queryList(pubkey);
    this.#lists.set(pubkey, { relays, until: Date.now() + LIST_LIFETIME_MS });
    return relays;
  }

  async #queryList(pubkey: string): Promise<string[]> {
    const filter = { kinds: [KIND.relayList], authors: [pubkey], limit: 1 };
    try {
      const events = await this.#events.query(this.#relays, filter, LIST_TIMEOUT_MS);
      const lists = events.filter(
        (event) => event.pubkey === pubkey && event.kind === KIND.relayList,
      );
      const newest = lists.sort((a, b) => b.created_at - a.created_at)[0];
      return newest === undefined ? [] : relaysOfList(newest).flatMap(usableRelay);
    } catch (error) {
      this.#lists.delete(pubkey);
      this.#log.debug({ err: error, pubkey }, 'no relay list');
      return [];
    }
  }
}

function kindOf(destination: string): 'name' | 'npub' | 'nprofile' {
  if (destination.startsWith('nprofile1')) return 'nprofile';
  return destination.startsWith('npub1') ? 'npub' : 'name';
}

function firstOf(relays: readonly string[]): string[] {
  return [...new Set(relays)].slice(0, MAX_RELAYS);
}

/** A list is written by a stranger: what isn't a relay is left out. */
function usableRelay(url: string): string[] {
  try {
    return [normalizeRelayUrl(url)];
  } catch {
    return [];
  }
}

function noRelay(host: string): NwsError {
  return new NwsError('no_relay', `no relay is known for ${host}`, {
    hint: 'name one with --relay or NOSTR_RELAYS, or use a name that carries its relay',
  });
}
