// Which relay carries the events to one peer: a healthy one, the quickest first; another when it fails,
// refuses or brings no answer. A relay that refused rests for a growing while.

import type { RelayLink } from '../relay/link.js';

const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 60_000;
/** Smallest event that is worth trying, in bytes, on a relay that refuses by size. */
const LEAST_EVENT_BYTES = 2_048;

interface Rest {
  until: number;
  pauseMs: number;
}

export class Route {
  readonly #links: readonly RelayLink[];
  readonly #rests = new Map<RelayLink, Rest>();
  readonly #sizes = new Map<RelayLink, number>();
  #current: RelayLink | undefined;

  constructor(links: readonly RelayLink[]) {
    this.#links = links;
  }

  get links(): readonly RelayLink[] {
    return this.#links;
  }

  /** The link that was used last. */
  get current(): RelayLink | undefined {
    return this.#current;
  }

  /** The link to use now, or undefined while all are down or resting. */
  pick(now: number): RelayLink | undefined {
    if (this.#current !== undefined && this.#isUsable(this.#current, now)) return this.#current;
    const usable = this.#links.filter((link) => this.#isUsable(link, now));
    const latency = (link: RelayLink): number => link.okLatencyMs ?? Number.POSITIVE_INFINITY;
    usable.sort((a, b) => (latency(a) < latency(b) ? -1 : 1));
    if (usable[0] !== undefined) this.#current = usable[0];
    return usable[0];
  }

  /** The peer uses this relay, so it hears us there. */
  heard(link: RelayLink): void {
    if (this.#links.includes(link)) this.#current = link;
    this.#rests.delete(link);
  }

  /** Nothing came back for a while: the next usable relay may do better. Returns whether there is one. */
  tryNext(now: number): boolean {
    const usable = this.#links.filter((link) => this.#isUsable(link, now));
    const index = this.#current === undefined ? -1 : usable.indexOf(this.#current);
    const next = usable[(index + 1) % usable.length];
    if (next === undefined || next === this.#current) return false;
    this.#current = next;
    return true;
  }

  /** The relay refused an event: it is left alone for a while, longer each time. */
  refused(link: RelayLink, now: number): void {
    const rest = this.#rests.get(link);
    // Refusals of events that were on their way together count once.
    if (rest !== undefined && now < rest.until) return;
    const pauseMs =
      rest === undefined ? FIRST_REST_MS : Math.min(2 * rest.pauseMs, LONGEST_REST_MS);
    this.#rests.set(link, { until: now + pauseMs, pauseMs });
  }

  accepted(link: RelayLink, now: number): void {
    const rest = this.#rests.get(link);
    if (rest !== undefined && now >= rest.until) this.#rests.delete(link);
  }

  /** The relay found an event too large, though it was within what is known of it. */
  tooLarge(link: RelayLink, eventBytes: number): void {
    this.#sizes.set(link, Math.max(LEAST_EVENT_BYTES, Math.floor((eventBytes * 3) / 4)));
  }

  eventLimitBytes(link: RelayLink): number {
    return Math.min(link.eventLimitBytes, this.#sizes.get(link) ?? Number.POSITIVE_INFINITY);
  }

  /** When the first relay that rests may be used again, if none can be used now. */
  wakeAt(now: number): number | undefined {
    if (this.pick(now) !== undefined) return undefined;
    let earliest: number | undefined;
    for (const [link, { until }] of this.#rests) {
      if (link.isUp && until > now && (earliest === undefined || until < earliest))
        earliest = until;
    }
    return earliest;
  }

  #isUsable(link: RelayLink, now: number): boolean {
    return link.isUp && now >= (this.#rests.get(link)?.until ?? 0);
  }
}
