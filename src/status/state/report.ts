// What the status page, status.json and the metrics say of a running proxy or exit: their shape. A type only.
// Times are Unix ms unless their names say otherwise; keys of peers are hex.

import type { Way } from '../../tunnel/accounts/accounts.js';
import type { DirectReport } from '../../tunnel/direct/options.js';

export interface Traffic {
  /** From clients to destinations, and back. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/**
 * `deaf`: up, and ends our subscription. `resting`: refused our events, and is left alone for a while. `connecting`: no
 * attempt has failed yet.
 */
export type RelayState = 'up' | 'deaf' | 'resting' | 'connecting' | 'down';

export interface RelayRow {
  readonly url: string;
  readonly state: RelayState;
  /** Why it isn't `up`. */
  readonly reason?: string | undefined;
  /** From publishing an event to the relay's OK, smoothed; relays that say no OK have none. */
  readonly roundTripMs?: number | undefined;
  /** Largest event that it takes, as far as is known. */
  readonly eventLimitBytes: number;
  /** Published, and neither confirmed nor refused yet. */
  readonly unconfirmedBytes: number;
  readonly eventsSent: number;
  readonly eventsReceived: number;
  /** Of TCP, since the start. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly refusals: number;
  readonly lastRefusal?: { readonly reason: string; readonly at: number } | undefined;
  readonly connects: number;
}

export interface StreamRow extends Traffic {
  readonly id: number;
  /** The same in the logs of both sides. */
  readonly key?: string | undefined;
  readonly host: string;
  /** The exit, to a proxy; the client, to an exit. */
  readonly peer: string;
  readonly npub: string;
  readonly way: Way;
  readonly openedAt: number;
}

export interface PinRow {
  /** Whose key signed the certificate event. */
  readonly pubkey: string;
  readonly npub: string;
  /** SHA-256 of the current certificate, and how many may follow it. */
  readonly fingerprint: string;
  readonly successors: number;
  /** Of the event, and of the first that was seen. */
  readonly signedAt: number;
  readonly since: number;
  /** How often another certificate took the place of the one before, and when it did last. */
  readonly changes: number;
  readonly changedAt?: number | undefined;
  /** Of the certificate; absent where its dates mean nothing. */
  readonly notAfter?: number | undefined;
}

/** An exit that a proxy uses, or a client of an exit. */
export interface PeerRow extends Traffic {
  readonly pubkey: string;
  readonly npub: string;
  /** Open now. */
  readonly streams: number;
  readonly opened: number;
  readonly refused: number;
  /** `plain`: speaks NIP-443 alone. */
  readonly kind?: 'reliable' | 'plain' | undefined;
  readonly roundTripMs?: number | undefined;
  /** That its events went over last. */
  readonly relay?: string | undefined;
  /** How it is with a direct path; absent where this side looks for none. */
  readonly direct?: Omit<DirectReport, 'peer'> | undefined;
}

/** A destination, as clients name it. */
export interface TargetRow extends Traffic {
  readonly host: string;
  readonly streams: number;
  readonly opened: number;
  readonly refused: number;
}

/** Failures of one kind within the last hour. */
export interface ErrorRow {
  readonly code: string;
  readonly count: number;
  /** Of the last one. */
  readonly at: number;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly about: string;
}

export interface WayRow extends Traffic {
  readonly way: Way;
  readonly opened: number;
  readonly open: number;
}

/** All that isn't a row of a table. */
export interface Summary extends Traffic {
  readonly program: 'nws';
  readonly version: string;
  readonly role: 'proxy' | 'exit';
  readonly startedAt: number;
  readonly uptimeSeconds: number;
  readonly ready: boolean;
  /** Why no request can be served now. */
  readonly obstacle?: string | undefined;
  /** Of an exit. */
  readonly name?: string | undefined;
  readonly npub?: string | undefined;
  readonly target?: string | undefined;
  /** TCP connections of clients to a proxy. */
  readonly connections?: number | undefined;
  readonly streamsOpen: number;
  readonly streamsOpened: number;
  readonly streamsRefused: number;
  readonly streamsFailed: number;
  /** Pins on record. */
  readonly pinsKnown: number;
  readonly ways: readonly WayRow[];
}

export interface Tables {
  readonly relays: readonly RelayRow[];
  readonly streams: readonly StreamRow[];
  readonly pins: readonly PinRow[];
  /** Exits to a proxy, clients to an exit. */
  readonly peers: readonly PeerRow[];
  readonly targets: readonly TargetRow[];
  readonly errors: readonly ErrorRow[];
}
