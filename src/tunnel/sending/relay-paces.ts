// Relays that ration what we publish (`rate-limited:`): how many events a second each takes, learned from what it takes
// and refuses. Events go evenly at that pace, so that each has time to fill, and a little faster with each that is taken.

import type { Logger } from 'pino';
import type { RelayLink } from '../../relay/link.js';

/** What a refusal leaves of the pace that the relay has shown. */
const DECREASE = 0.85;
/** What each event that is taken adds to the events a second, and the more of it the longer nothing was refused. */
const GROWTH = 0.015;
const DOUBLED_AFTER_MS = 3_000;
const LONGEST_GROWTH_MS = 60_000;
/** What was taken in less than this shows no pace. */
const LEAST_COUNTED_MS = 100;
/** An event in a minute at the least. */
const LEAST_PER_SECOND = 1 / 60;
/** From here on nothing is rationed any more. */
const FREE_PER_SECOND = 5_000;
/** Before the next event where nothing at all was taken; it doubles. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 60_000;
/** Timers are late, and so is a busy process: what it missed of so long may follow at once. */
const CREDIT_MS = 20;

interface Pace {
  /** Events a second; infinite while nothing was refused. */
  perSecond: number;
  /** When the next event may go. */
  nextAt: number;
  pauseMs: number;
  /** When it was last found too fast. Refusals of what was sent before that say nothing new. */
  changedAt: number;
  /** Events that were taken since `countedFrom`, and in the second before. */
  taken: number;
  takenBefore: number;
  countedFrom: number;
}

export class RelayPaces {
  readonly #log: Logger | undefined;
  readonly #paces = new WeakMap<RelayLink, Pace>();

  /** @param log told once when a relay begins to ration, and once when it doesn't any more */
  constructor(log?: Logger) {
    this.#log = log;
  }

  /** Events a second that may go there; infinite where nothing is rationed. */
  perSecond(link: RelayLink): number {
    return this.#of(link).perSecond;
  }

  /** When the next event may go, where none may now. */
  until(link: RelayLink, now: number): number | undefined {
    const { nextAt } = this.#of(link);
    return nextAt > now ? nextAt : undefined;
  }

  /** An event goes there. */
  sent(link: RelayLink, now: number): void {
    const pace = this.#of(link);
    if (pace.perSecond === Number.POSITIVE_INFINITY) return;
    const intervalMs = 1_000 / pace.perSecond;
    pace.nextAt = Math.max(pace.nextAt, now - CREDIT_MS) + intervalMs;
  }

  /** The relay has taken one. */
  accepted(link: RelayLink, now: number): void {
    const pace = this.#of(link);
    if (now - pace.countedFrom >= 1_000) {
      pace.takenBefore = now - pace.countedFrom < 2_000 ? pace.taken : 0;
      pace.taken = 0;
      pace.countedFrom = now;
    }
    pace.taken += 1;
    pace.pauseMs = FIRST_PAUSE_MS;
    const unrefusedMs = Math.min(now - pace.changedAt, LONGEST_GROWTH_MS);
    pace.perSecond += GROWTH * (1 + unrefusedMs / DOUBLED_AFTER_MS);
    if (pace.perSecond === Number.POSITIVE_INFINITY || pace.perSecond < FREE_PER_SECOND) return;
    pace.perSecond = Number.POSITIVE_INFINITY;
    this.#log?.info({ relay: link.url }, 'relay takes our events as they come again');
  }

  /** It has refused one that was sent at `sentAt`, as one too many. */
  refused(link: RelayLink, sentAt: number, now: number): void {
    const pace = this.#of(link);
    if (sentAt < pace.changedAt) return;
    if (pace.perSecond === Number.POSITIVE_INFINITY) {
      this.#log?.warn(
        { relay: link.url },
        'relay rations our events: they go as fast as it takes them',
      );
    }
    const recent = recentPerSecond(pace, now);
    const shown = recent > 0 ? recent : Math.min(pace.perSecond, FREE_PER_SECOND) / 2;
    pace.perSecond = Math.max(LEAST_PER_SECOND, DECREASE * Math.min(pace.perSecond, shown));
    pace.changedAt = now;
    pace.nextAt = now + (recent > 0 ? 1_000 / pace.perSecond : pace.pauseMs);
    if (recent === 0) pace.pauseMs = Math.min(2 * pace.pauseMs, LONGEST_PAUSE_MS);
  }

  #of(link: RelayLink): Pace {
    let pace = this.#paces.get(link);
    if (pace === undefined) {
      const counts = { taken: 0, takenBefore: 0, countedFrom: 0 };
      const free = { perSecond: Number.POSITIVE_INFINITY, nextAt: 0, changedAt: 0 };
      pace = { ...free, pauseMs: FIRST_PAUSE_MS, ...counts };
      this.#paces.set(link, pace);
    }
    return pace;
  }
}

/** What was taken in the last second or so, a second. */
function recentPerSecond({ taken, takenBefore, countedFrom }: Pace, now: number): number {
  const countedMs = now - countedFrom;
  if (countedMs >= 2_000) return 0;
  if (takenBefore === 0) return (1_000 * taken) / Math.max(LEAST_COUNTED_MS, countedMs);
  return taken + takenBefore * Math.max(0, 1 - countedMs / 1_000);
}
