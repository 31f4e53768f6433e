// What the embedded relay does beyond plain NIP-01: switches for tests and bench, changeable while it runs.
import type { Event as NostrEvent } from 'nostr-tools';
import { DEFAULT_EVENT_BYTES } from '../../limits.js';

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
  /** Takes events without an OK. */
  silent: boolean;
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
  muteUnheard: true,
  disconnectEveryMs: 0,
  maxEventBytes: DEFAULT_EVENT_BYTES,
  slowReaderBytes: 32 * 1024 * 1024,
  authRequired: false,
});

/** What strfry does with its default settings (measured; PROTOCOL.md, "What relays do"). */
export const strfryBehaviour: Readonly<Partial<RelayBehaviour>> = Object.freeze({
  deliveryDelayMs: 100,
  writeBatchMs: 3,
  reorder: true,
  replayEphemerals: true,
  muteUnheard: false,
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
