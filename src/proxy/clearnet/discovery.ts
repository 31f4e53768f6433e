// Which public exits announce themselves (38333) on the entry's relays now.
// What to do with them is exits.ts's matter, or that of whoever runs `nws discover`.

import { setTimeout as pause } from 'node:timers/promises';
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { NwsError, toNwsError } from '../../errors.js';
import { MAX_SKEW_S } from '../../limits.js';
import { type Address, MAX_RELAYS } from '../../protocol/names/address.js';
import {
  isExpired,
  KIND,
  speaksReliableStreams,
  streamVersion,
} from '../../protocol/wire/events.js';
import type { EventSource } from '../resolve.js';

/** Exits that one answer holds: anybody can announce any number. The newest stay. */
export const MAX_EXITS = 64;
/** Events that a relay is asked for. Some of them are expired, and relays needn't know of expirations. */
const MAX_EVENTS = 256;
/** What is older is dead, whatever its expiration says; no announcement needs a longer interval. */
const LOOKBACK_S = 3_600;
/** How long relays may take to answer once. */
const QUERY_TIMEOUT_MS = 3_000;
/** After the first exit was found, slower relays get this much longer. */
const GRACE_MS = 300;
/** Announcements expire when the next one is due: one that finds none may have asked in between. */
const RETRY_MS = 1_000;
const MAX_QUERIES = 3;

export interface AnnouncedExit extends Address {
  /** Where it announces itself, and so listens, at most eight. */
  readonly relays: readonly string[];
  /** It says that it speaks reliable streams. */
  readonly reliable: boolean;
  /** Up to which version of them. */
  readonly version: number;
  /** Unix seconds. */
  readonly announcedAt: number;
}

export interface DiscoveryOptions {
  /** A RelayPool. */
  readonly source: EventSource;
  /** The entry's own relays. */
  readonly relays: readonly string[];
  /** Ends the search early. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The public exits that announce themselves now, the latest announcement first, at most 64. Takes some seconds
 * where there is none.
 * @throws NwsError `no_relay`; `relay_unreachable` where no relay can be asked; `shutting_down`.
 */
export async function discoverExits(options: DiscoveryOptions): Promise<AnnouncedExit[]> {
  const { relays, signal } = options;
  if (relays.length === 0) throw noRelay();
  for (let query = 1; ; query += 1) {
    const exits = await queryOnce(options);
    if (exits.length > 0 || query === MAX_QUERIES || signal?.aborted) return exits;
    // An aborted pause is the end of the search.
    await pause(RETRY_MS, undefined, signal && { signal }).catch(() => undefined);
  }
}

/** Each relay by itself: the answer says at which of them an exit is to be found. */
async function queryOnce({ source, relays }: DiscoveryOptions): Promise<AnnouncedExit[]> {
  const nowS = Math.floor(Date.now() / 1_000);
  const since = nowS - LOOKBACK_S;
  const filter: Filter = { kinds: [KIND.announcement], since, limit: MAX_EVENTS };
  const found = new Map<string, AnnouncedExit>();
  let onFound = (): void => undefined;
  const enough = new Promise<void>((resolve) => {
    onFound = resolve;
  }).then(() => pause(GRACE_MS));
  const queries = relays.map(async (relay) => {
    collect(found, await source.query([relay], filter, QUERY_TIMEOUT_MS), relay, nowS);
    if (found.size > 0) onFound();
  });
  const answers = await Promise.race([Promise.allSettled(queries), enough]);
  const failed = answers?.filter((answer) => answer.status === 'rejected') ?? [];
  if (failed.length === relays.length) throw toNwsError(failed[0]?.reason);
  return [...found.values()].sort((a, b) => b.announcedAt - a.announcedAt).slice(0, MAX_EXITS);
}

function collect(
  found: Map<string, AnnouncedExit>,
  events: readonly NostrEvent[],
  relay: string,
  nowS: number,
): void {
  for (const event of events.filter((event) => isAlive(event, nowS))) {
    const { pubkey, created_at: announcedAt } = event;
    const known = found.get(pubkey);
    const relays = [...new Set([...(known?.relays ?? []), relay])].slice(0, MAX_RELAYS);
    const said = { reliable: speaksReliableStreams(event), version: streamVersion(event) };
    const isNewest = known === undefined || known.announcedAt < announcedAt;
    found.set(pubkey, isNewest ? { pubkey, relays, ...said, announcedAt } : { ...known, relays });
  }
}

function isAlive(event: NostrEvent, nowS: number): boolean {
  const { kind, created_at: announcedAt } = event;
  // One from the future would stay the newest for long.
  const isTimely = announcedAt >= nowS - LOOKBACK_S && announcedAt <= nowS + MAX_SKEW_S;
  return kind === KIND.announcement && isTimely && !isExpired(event, nowS);
}

function noRelay(): NwsError {
  return new NwsError('no_relay', 'no relay is known to look for public exits', {
    hint: 'name one with --relay or NOSTR_RELAYS',
  });
}
