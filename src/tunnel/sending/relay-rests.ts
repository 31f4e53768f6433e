// Relays that refused our events and are left alone for a while, longer each time.

import type { Logger } from 'pino';
import type { RelayLink } from '../../relay/link.js';

const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 60_000;

interface Rest {
  until: number;
  pauseMs: number;
}

export class RelayRests {
  readonly #log: Logger | undefined;
  readonly #rests = new Map<RelayLink, Rest>();

  /** @param log told once when a relay begins to refuse, and once when it takes events again */
  constructor(log?: Logger) {
    this.#log = log;
  }

  isResting(link: RelayLink, now: number): boolean {
    return now < (this.#rests.get(link)?.until ?? 0);
  }

  /** The end of the rest, if the relay rests. */
  until(link: RelayLink, now: number): number | undefined {
    return this.isResting(link, now) ? this.#rests.get(link)?.until : undefined;
  }

  refused(link: RelayLink, reason: string, now: number): void {
    const rest = this.#rests.get(link);
    if (rest === undefined) {
      this.#log?.warn(
        { relay: link.url, reason },
        'relay refuses our events; it is left alone for a while',
      );
      this.#rests.set(link, { until: now + FIRST_REST_MS, pauseMs: FIRST_REST_MS });
      return;
    }
    // Refusals of events that were on their way together count once.
    if (now < rest.until) return;
    rest.pauseMs = Math.min(2 * rest.pauseMs, LONGEST_REST_MS);
    rest.until = now + rest.pauseMs;
  }

  accepted(link: RelayLink, now: number): void {
    const rest = this.#rests.get(link);
    if (rest === undefined || now < rest.until) return;
    this.#rests.delete(link);
    this.#log?.info({ relay: link.url }, 'relay takes our events again');
  }

  forget(link: RelayLink): void {
    this.#rests.delete(link);
  }
}
