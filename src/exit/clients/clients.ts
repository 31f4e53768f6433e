// What each client of an exit has and may have: streams at once, opens a minute, bytes a second. Who may come at
// all is asked before this (`admits`).

import { NwsError } from '../../errors.js';
import { MAX_STREAMS_PER_PEER } from '../../limits.js';
import { ByteRate } from './byte-rate.js';

/** Bounds for one client, which is one pubkey. */
export interface ClientLimits {
  /** Streams at once. */
  readonly streams: number;
  /** Streams asked for, served or refused. */
  readonly opensPerMinute: number;
  /** Each way; infinite: unlimited. */
  readonly bytesPerSecond: number;
}

export const DEFAULT_CLIENT_LIMITS: ClientLimits = {
  streams: MAX_STREAMS_PER_PEER, // a browser has hundreds, an entry that a whole office shares has thousands
  opensPerMinute: 12_000, // all of them within a minute, as after a restart
  bytesPerSecond: Number.POSITIVE_INFINITY,
};

/** Clients that are remembered; past this, those without streams are forgotten, the longest silent first. */
const MAX_CLIENTS = 8_192;

/** One client's share. */
export interface Client {
  /** Bytes from the client, and to it. */
  readonly up: ByteRate;
  readonly down: ByteRate;
}

interface Entry extends Client {
  streams: number;
  /** Opens that are left now. */
  opens: number;
  countedAt: number;
}

export interface Lists {
  /** Absent: everyone. Hex. */
  readonly allowClients?: ReadonlySet<string> | undefined;
  readonly denyClients?: ReadonlySet<string> | undefined;
}

/** Whether a client may come at all: on the list, if there is one, and not on the other. */
export function admits({ allowClients, denyClients }: Lists, pubkey: string): boolean {
  if (denyClients?.has(pubkey)) return false;
  return allowClients === undefined || allowClients.has(pubkey);
}

export class Clients {
  /** Bytes a second are those that a client was first seen under. */
  limits: ClientLimits;
  readonly #now: () => number;
  /** By pubkey; the longest silent first. */
  readonly #entries = new Map<string, Entry>();

  /** @param now in ms */
  constructor(limits: ClientLimits, now: () => number = () => performance.now()) {
    this.limits = limits;
    this.#now = now;
  }

  /**
   * Counts a stream that a client asks for; `leave` has to follow.
   * @throws NwsError `connection_limit_reached`.
   */
  enter(pubkey: string): Client {
    const entry = this.#entries.get(pubkey) ?? this.#make();
    this.#entries.delete(pubkey);
    this.#entries.set(pubkey, entry);
    this.#forget();
    const { streams, opensPerMinute } = this.limits;
    const now = this.#now();
    const regained = ((now - entry.countedAt) * opensPerMinute) / 60_000;
    entry.opens = Math.min(opensPerMinute, entry.opens + regained);
    entry.countedAt = now;
    if (entry.opens < 1) throw tooMuch(`more than ${opensPerMinute} streams a minute`);
    entry.opens -= 1;
    if (entry.streams >= streams) throw tooMuch(`more than ${streams} streams at once`);
    entry.streams += 1;
    return entry;
  }

  leave(pubkey: string): void {
    const entry = this.#entries.get(pubkey);
    if (entry !== undefined) entry.streams -= 1;
  }

  #make(): Entry {
    const { opensPerMinute, bytesPerSecond } = this.limits;
    const [up, down] = [new ByteRate(bytesPerSecond), new ByteRate(bytesPerSecond)];
    return { up, down, streams: 0, opens: opensPerMinute, countedAt: this.#now() };
  }

  #forget(): void {
    if (this.#entries.size <= MAX_CLIENTS) return;
    for (const [pubkey, { streams }] of this.#entries) {
      if (streams > 0) continue;
      this.#entries.delete(pubkey);
      return;
    }
  }
}

function tooMuch(what: string): NwsError {
  return new NwsError('connection_limit_reached', `this exit allows no client ${what}`, {
    hint: 'wait until streams have ended, and try again',
  });
}
