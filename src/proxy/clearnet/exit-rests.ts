// Exits that failed and are left alone for a while, longer each time.

import { BoundedMap } from '../../common/bounded.js';

/** First pause, longest pause, and how many exits are remembered. */
const FIRST_REST_MS = 10_000;
const LONGEST_REST_MS = 10 * 60_000;
const MAX_RESTS = 256;

interface Rest {
  readonly until: number;
  readonly pauseMs: number;
}

export class ExitRests {
  /** By pubkey, the one that failed longest ago first. */
  readonly #rests = new BoundedMap<string, Rest>(MAX_RESTS);

  /** The end of the rest; 0 where it doesn't rest. Times are in milliseconds, on any clock that only grows. */
  until(pubkey: string, now: number): number {
    const until = this.#rests.get(pubkey)?.until ?? 0;
    return until > now ? until : 0;
  }

  /** Returns whether a rest begins: what fails together counts once. */
  failed(pubkey: string, now: number): boolean {
    const rest = this.#rests.get(pubkey);
    if (rest !== undefined && now < rest.until) return false;
    const pauseMs = Math.min(
      rest === undefined ? FIRST_REST_MS : 2 * rest.pauseMs,
      LONGEST_REST_MS,
    );
    this.#rests.set(pubkey, { until: now + pauseMs, pauseMs });
    return true;
  }

  worked(pubkey: string): void {
    this.#rests.delete(pubkey);
  }
}
