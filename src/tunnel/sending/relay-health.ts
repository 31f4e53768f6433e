// What a process knows of its relays beside whether they are up: which refuse and rest, which bring nothing back, how
// large an event each takes, and how many. Shared by the routes to all peers, since one peer's experience is every peer's.

import type { Logger } from 'pino';
import type { RelayLink } from '../../relay/link.js';
import { EventSizes } from './event-sizes.js';
import { RelayPaces } from './relay-paces.js';
import { RelayRests } from './relay-rests.js';

export class RelayHealth {
  /** Relays that refuse whatever we send. */
  readonly rests: RelayRests;
  readonly sizes: EventSizes;
  /** Relays that take so many events and no more. */
  readonly paces: RelayPaces;
  /** How often a relay was left because nothing came back, since anything arrived over it. */
  readonly #misses = new WeakMap<RelayLink, number>();

  constructor(log?: Logger) {
    this.rests = new RelayRests(log);
    this.sizes = new EventSizes(log);
    this.paces = new RelayPaces(log);
  }

  /** Nothing came back over it. */
  missed(link: RelayLink): void {
    this.#misses.set(link, this.misses(link) + 1);
  }

  misses(link: RelayLink): number {
    return this.#misses.get(link) ?? 0;
  }

  /** A peer has an event of so many bytes that went over it. */
  arrived(link: RelayLink, eventBytes: number): void {
    this.#misses.delete(link);
    this.sizes.arrived(link, eventBytes);
  }
}
