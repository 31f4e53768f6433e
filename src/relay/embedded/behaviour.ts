// What the embedded relay does beyond plain NIP-01: switches for tests and bench, changeable while it runs.
import type { Event as NostrEvent } from 'nostr-tools';
import { DEFAULT_EVENT_BYTES } from '../../limits.js';

/** An answer that names another place. */
export interface Redirect {
  /** Of HTTP: 301, 302, 307 or 308. */
  readonly status: number;
  /** URL. */
  readonly location: string;
}

/** Habits and faults of a relay. */
export interface RelayBehaviour {
  /** Live events wait this long, in batches, before they are delivered. */
  deliveryDelayMs: number;
  /**
   * Events are taken down in write batches of this length, which answer OK as a whole when they are over; ten
   * times longer after a batch of many events, whose commit takes longer. 0: each event by itself, at once.
   */
  writeBatchMs: number;
  /**
   * Sorts by (created_at, id), which is random within a second: each write batch, as strfry does, or without
   * write batches each batch of deliveries.
   */
  reorder: boolean;
  /** Ephemeral events are kept for 300 s and given to new subscriptions, newest first. */
  replayEphemerals: boolean;
  /** Share of live deliveries that get lost, 0 to 1. */
  loss: number;
  /** Share of live deliveries that happen twice, 0 to 1. */
  duplicate: number;
  /** Refuses every event with this reason, or those for which the function gives one. */
  refuse: string | ((event: NostrEvent) => string | undefined) | undefined;
  /** Takes events without an OK: all of them, or the ephemeral ones, as nostr-rs-relay did. */
  silent: boolean | 'ephemerals';
  /** Each so-many-th OK for an event that is taken is missing; 0: none. */
  missEveryOk: number;
  /** What a refusal is told by: OK and CLOSED, or a NOTICE that names neither event nor subscription. */
  refusals: 'named' | 'notice';
  /** What is said of an event that is too large, with SIZE for the bound in bytes. */
  tooLargeText: string;
  /** What one client may publish in a second, in bytes of frames; 0: no limit. */
  bytesPerSecond: number;
  /** The same in events; 0: no limit. */
  eventsPerSecond: number;
  /** What is beyond that is taken in its turn, so that its OK and its delivery are late, or refused as `rate-limited:`. */
  overRate: 'late' | 'refused';
  /** Says `mute:` for an ephemeral event that nobody is subscribed to, as khatru does. */
  muteUnheard: boolean;
  /** Drops every connection when something happens this long after the last time; 0: never. */
  disconnectEveryMs: number;
  /** Larger events are refused; bytes of normalised JSON. */
  maxEventBytes: number;
  /** A client that is further behind in reading is cut off. */
  slowReaderBytes: number;
  /** Demands NIP-42 authentication for everything. */
  authRequired: boolean;
  /** When the challenge comes: on connecting, or not before something was refused for want of it. */
  authChallenge: 'first' | 'behind refusals';
  /** A good answer to a challenge gets no OK, as at nostr-rs-relay. */
  authUnanswered: boolean;
  /** After so many events of an authenticated client its subscriptions end, and it is asked again; 0: never. */
  authAgainAfter: number;
  /** Ephemeral events with a `p` tag go to those alone who have authenticated as one of these keys. */
  receiversOnly: boolean;
  /** Subscriptions of one connection. */
  maxSubscriptions: number;
  /** What becomes of a REQ whose id is in use: the new one counts, the old one counts, or both end. */
  sameId: 'replace' | 'ignore' | 'close';
  /** Whether a filter with `limit: 0` is taken, refused, or ends the subscription behind its EOSE. */
  limitZero: 'taken' | 'refused' | 'ends';
  /** No EOSE for a subscription that asks for nothing stored, as at nostr-rs-relay. */
  eoseUnlessZero: boolean;
  /** How far the relay's clock is ahead of the true time, in seconds. */
  clockAheadS: number;
  /** A WebSocket without User-Agent gets a 403, as at some CDNs. */
  wantsUserAgent: boolean;
  /** Where a handshake is redirected to instead, and how. */
  redirect: Redirect | undefined;
}

export const defaultBehaviour: Readonly<RelayBehaviour> = Object.freeze({
  deliveryDelayMs: 0,
  writeBatchMs: 0,
  reorder: false,
  replayEphemerals: false,
  loss: 0,
  duplicate: 0,
  refuse: undefined,
  silent: false,
  missEveryOk: 0,
  refusals: 'named',
  tooLargeText: 'invalid: event too large',
  bytesPerSecond: 0,
  eventsPerSecond: 0,
  overRate: 'late',
  muteUnheard: true,
  disconnectEveryMs: 0,
  maxEventBytes: DEFAULT_EVENT_BYTES,
  slowReaderBytes: 32 * 1024 * 1024,
  authRequired: false,
  authChallenge: 'first',
  authUnanswered: false,
  authAgainAfter: 0,
  receiversOnly: false,
  maxSubscriptions: 200,
  sameId: 'replace',
  limitZero: 'taken',
  eoseUnlessZero: false,
  clockAheadS: 0,
  wantsUserAgent: false,
  redirect: undefined,
});

/** Numbers in [0, 1) that a seed repeats (mulberry32): a run with loss can be run again. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
