// Asking a relay for what is new alone. `limit: 0` says so, and spares us what relays store of "ephemeral" events; where
// a relay refuses that, it is asked for one event since a minute ago, and what is old in its answer is left out here.
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { MAX_SKEW_S } from '../../limits.js';

/** A REQ as it was sent. */
export interface Asked {
  readonly id: string;
  /** On performance.now(). */
  readonly sentAt: number;
  /** Unix time in seconds. */
  readonly sentAtS: number;
  /** What comes before EOSE may be stored, and was not asked for. */
  readonly skipsStored: boolean;
}

export function asksNothing(filters: readonly Filter[]): boolean {
  return filters.every(({ limit }) => limit === 0);
}

/** The same question without `limit: 0`. A peer's clock may be behind by `MAX_SKEW_S`: its new events count. */
export function withoutZero(filters: readonly Filter[]): Filter[] {
  const since = Math.floor(Date.now() / 1_000) - MAX_SKEW_S;
  return filters.map((filter) => (filter.limit === 0 ? { ...filter, limit: 1, since } : filter));
}

export function isWanted({ created_at }: NostrEvent, { skipsStored, sentAtS }: Asked): boolean {
  return !skipsStored || created_at >= Math.floor(sentAtS);
}
