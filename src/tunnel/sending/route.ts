// Which relay carries the events to one peer: a healthy one, the quickest first; another when it fails,
// refuses or brings no answer. Others carry bulk data beside it.

import type { RelayLink } from '../../relay/link.js';
import { isRateLimited, isTooLarge } from '../../relay/notices.js';
import type { RelayHealth } from './relay-health.js';
import { RelayRests } from './relay-rests.js';

/** Where the peer isn't heard for so long, though it is elsewhere, it is followed. */
const DESERTED_MS = 1_500;

export class Route {
  readonly links: readonly RelayLink[];
  readonly #health: RelayHealth;
  /** Relays that say that this peer doesn't listen there. */
  readonly #mute = new RelayRests();
  #current: RelayLink | undefined;
  /** When the peer was last heard there, or when it was chosen. */
  #heardAt = 0;

  /** @param health shared by all routes of a process */
  constructor(links: readonly RelayLink[], health: RelayHealth) {
    this.links = links;
    this.#health = health;
  }

  /** The link that was used last. */
  get current(): RelayLink | undefined {
    return this.#current;
  }

  /** The link to use now, or undefined while all are down or resting. */
  pick(now: number): RelayLink | undefined {
    const usable = this.usable(now);
    // One that takes no more holds nobody up while another does.
    const swift = usable.filter(({ stallsAt = Number.POSITIVE_INFINITY }) => now < stallsAt);
    const choice = swift.length > 0 ? swift : usable;
    if (this.#current !== undefined && choice.includes(this.#current)) return this.#current;
    const misses = (link: RelayLink): number => this.#health.misses(link);
    const [best] = choice.sort((a, b) => misses(a) - misses(b) || latency(a) - latency(b));
    if (best !== undefined) this.#move(best, now);
    return best;
  }

  #move(link: RelayLink, now: number): void {
    this.#current = link;
    this.#heardAt = now;
  }

  /** The links for an event: the one for whatever there is to say, and behind it those for bulk data alone. */
  choices(now: number): RelayLink[] {
    const first = this.pick(now);
    if (first === undefined) return [];
    const others = this.usable(now).filter((link) => link !== first);
    return [first, ...others.sort((a, b) => latency(a) - latency(b))];
  }

  /** Whether an event may go over this link now. */
  hasRoom(link: RelayLink, now: number): boolean {
    return link.canPublish && this.isInPace(link, now);
  }

  /** Whether the relay's ration, if it has one, allows an event now. */
  isInPace(link: RelayLink, now: number): boolean {
    return this.#health.paces.until(link, now) === undefined;
  }

  /**
   * The peer uses this relay, so it hears us there.
   * @param follows whether to speak there as well from now on; else only where the peer is not heard any more on ours
   */
  heard(link: RelayLink, follows: boolean, now: number): void {
    this.#mute.forget(link);
    if (!this.links.includes(link)) return;
    const isDeserted = now - this.#heardAt > DESERTED_MS;
    if (link === this.#current || follows || isDeserted) this.#move(link, now);
  }

  /** Somebody asks for the peer anew: it may have come by now, and if not, that is to be said at once. */
  forgetMute(): void {
    for (const link of this.links) this.#mute.forget(link);
  }

  /** Nothing came back for a while: the next usable relay may do better. Returns whether there is one. */
  tryNext(now: number): boolean {
    const usable = this.usable(now);
    const index = this.#current === undefined ? -1 : usable.indexOf(this.#current);
    const next = usable[(index + 1) % usable.length];
    if (next === undefined || next === this.#current) return false;
    if (this.#current !== undefined) this.#health.missed(this.#current);
    this.#move(next, now);
    return true;
  }

  /** An event goes over this link. */
  sent(link: RelayLink, now: number): void {
    this.#health.paces.sent(link, now);
  }

  /** The relay refused an event of so many bytes that was sent then. */
  refused(link: RelayLink, reason: string, eventBytes: number, now: number, sentAt = now): void {
    const { rests, sizes, paces } = this.#health;
    if (isRateLimited(reason)) paces.refused(link, sentAt, now);
    else if (isTooLarge(reason)) sizes.refused(link, eventBytes, reason);
    else if (reason.startsWith('mute:')) this.#mute.refused(link, reason, now);
    else rests.refused(link, reason, now);
  }

  /** The relay has taken an event of so many bytes. */
  accepted(link: RelayLink, eventBytes: number, now: number): void {
    this.#health.rests.accepted(link, now);
    this.#health.paces.accepted(link, now);
    this.#health.sizes.arrived(link, eventBytes);
    this.#mute.accepted(link, now);
  }

  /** The peer has an event of so many bytes that went over this relay. */
  arrived(link: RelayLink, eventBytes: number): void {
    this.#health.arrived(link, eventBytes);
  }

  /** An event of so many bytes was lost there, and nobody says why. */
  lost(link: RelayLink, eventBytes: number): void {
    this.#health.sizes.lost(link, eventBytes);
  }

  eventLimitBytes(link: RelayLink): number {
    return this.#health.sizes.limitBytes(link);
  }

  /**
   * When another relay may be picked without anything else happening: one has rested, takes one more event, or the
   * current one stalls.
   */
  wakeAt(now: number): number | undefined {
    const { stallsAt = now } = this.#current ?? {};
    const usable = this.usable(now);
    if (usable.length > 0) {
      const times = usable.map((link) => this.#health.paces.until(link, now) ?? 0);
      if (usable.length > 1) times.push(stallsAt);
      const coming = times.filter((time) => time > now);
      return coming.length > 0 ? Math.min(...coming) : undefined;
    }
    const ends = this.links
      .filter((link) => link.isUp)
      .map((link) =>
        Math.max(this.#health.rests.until(link, now) ?? 0, this.#mute.until(link, now) ?? 0),
      );
    return ends.length > 0 ? Math.min(...ends) : undefined;
  }

  /** All links that are up and don't rest; those on which we are deaf only where there is no other. */
  usable(now: number): RelayLink[] {
    const usable = this.links.filter((link) => this.#isUsable(link, now));
    const hearing = usable.filter(({ deafness }) => deafness === undefined);
    return hearing.length > 0 ? hearing : usable;
  }

  #isUsable(link: RelayLink, now: number): boolean {
    return (
      link.isUp && !this.#health.rests.isResting(link, now) && !this.#mute.isResting(link, now)
    );
  }
}

/** Whether these are the links to these relays. */
export function sameRelays(links: readonly RelayLink[], urls: readonly string[]): boolean {
  return links.length === urls.length && links.every((link) => urls.includes(link.url));
}

function latency({ okLatencyMs = Number.MAX_VALUE }: RelayLink): number {
  return okLatencyMs;
}
