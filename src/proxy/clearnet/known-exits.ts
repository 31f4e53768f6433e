// The exits that the clear web may go through: those that the user chose, or those that announce themselves,
// looked for again now and then while somebody asks for them.

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { NwsError, toNwsError } from '../../errors.js';
import type { Address } from '../../protocol/names/address.js';
import { MAX_EXITS } from './discovery.js';

/** How old an answer may be before it is asked for anew, in the background. */
const REFRESH_MS = 30_000;
/** An answer older than this is waited for: who announced themselves then may be gone. */
const STALE_MS = 5 * 60_000;
/** An exit may be missed by an answer or two, since each announcement lives for seconds. */
const FORGET_MS = 90_000;
/** From one search to the next, however many requests find no exit that works. */
const PAUSE_MS = 1_000;

/** An exit of the clear web. */
export interface WebExit extends Address {
  /** Whether it speaks reliable streams; undefined where nobody has said so. */
  readonly reliable?: boolean | undefined;
  /** Up to which version of them. */
  readonly version?: number | undefined;
}

export interface KnownExitsOptions {
  /** Chosen by the user, best first. Where there are any, no others are looked for. */
  readonly chosen: readonly WebExit[];
  /** Where chosen exits listen that name no relay. */
  readonly relays: readonly string[];
  /** Finds public exits. */
  readonly discover: () => Promise<readonly WebExit[]>;
  readonly log: Logger;
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

interface Seen {
  readonly exit: WebExit;
  readonly at: number;
}

export class KnownExits {
  readonly #options: KnownExitsOptions;
  /** True where the order of `list` is the user's. */
  readonly areChosen: boolean;
  readonly #chosen: readonly WebExit[];
  /** By pubkey. */
  #seen: ReadonlyMap<string, Seen> = new Map();
  #searchedAt = Number.NEGATIVE_INFINITY;
  /** The last search that was answered. */
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #failure: NwsError | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(options: KnownExitsOptions) {
    this.#options = options;
    const { chosen, relays } = options;
    this.areChosen = chosen.length > 0;
    this.#chosen = chosen
      .map((exit) => (exit.relays.length > 0 ? exit : { ...exit, relays }))
      .filter((exit) => exit.relays.length > 0);
  }

  /**
   * The exits that are known, one at least. Waits for a search only where nothing is known that can be used.
   * @throws NwsError `exit_unreachable` where there is none; `no_relay`, `relay_unreachable` where nobody can be asked.
   */
  async list(): Promise<readonly WebExit[]> {
    if (this.areChosen && this.#chosen.length === 0) throw noRelay();
    if (this.areChosen) return this.#chosen;
    const age = this.#options.now() - this.#refreshedAt;
    if ((age >= REFRESH_MS || this.#seen.size === 0) && this.#pauseMs <= 0) {
      const refreshed = this.#refresh();
      if (age >= STALE_MS || this.#seen.size === 0) await refreshed;
    }
    if (this.#seen.size === 0) throw this.#failure ?? noExit();
    return this.#exits;
  }

  /** The same after a new search, which may be a second away: for those who found no exit that works. */
  async renewed(): Promise<readonly WebExit[]> {
    if (this.areChosen) return this.#chosen;
    if (this.#pauseMs > 0) await pause(this.#pauseMs, undefined, { ref: false });
    await this.#refresh();
    return this.#exits;
  }

  /** Until the next search may begin. */
  get #pauseMs(): number {
    return this.#searchedAt + PAUSE_MS - this.#options.now();
  }

  get #exits(): readonly WebExit[] {
    return [...this.#seen.values()].map(({ exit }) => exit);
  }

  /** Never rejects. One search at a time, whoever asks. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#search().finally(() => {
      this.#searchedAt = this.#options.now();
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #search(): Promise<void> {
    const { discover, log, now } = this.#options;
    try {
      const found = await discover();
      this.#seen = this.#merged(found, now());
      this.#refreshedAt = now();
      this.#failure = undefined;
      log.debug({ found: found.length, known: this.#seen.size }, 'looked for public exits');
    } catch (error) {
      this.#failure = toNwsError(error);
      // What was known long ago is no help when it can't be renewed.
      if (now() - this.#refreshedAt >= STALE_MS) this.#seen = new Map();
      const { code, message } = this.#failure;
      log.debug({ code }, `can't look for public exits: ${message}`);
    }
  }

  /** What was found now, and what was found a moment ago. */
  #merged(found: readonly WebExit[], at: number): ReadonlyMap<string, Seen> {
    const merged = new Map(found.map((exit) => [exit.pubkey, { exit, at }]));
    for (const [pubkey, seen] of this.#seen) {
      if (at - seen.at < FORGET_MS && !merged.has(pubkey)) merged.set(pubkey, seen);
    }
    return new Map([...merged].slice(0, MAX_EXITS));
  }
}

function noExit(): NwsError {
  return new NwsError('exit_unreachable', 'no public exit announces itself on the relays', {
    hint: 'see nws discover, name an exit with --exit, or reach the clear web by --clearnet direct',
  });
}

function noRelay(): NwsError {
  return new NwsError('no_relay', 'no relay is known for the chosen exits', {
    hint: 'name one with --relay or NOSTR_RELAYS, or give the exit as nprofile or .nostr name',
  });
}
