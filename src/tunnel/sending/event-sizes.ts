// How large an event each relay takes, as far as its own document doesn't say it: from what it refuses, from bounds
// that it names, and from trouble that large events alone have.

import type { Logger } from 'pino';
import type { RelayLink } from '../../relay/link.js';
import { boundIn } from '../../relay/notices.js';

/** Smallest event that is worth trying, in bytes, on a relay that refuses by size. */
const LEAST_EVENT_BYTES = 2_048;
/** What stands around an event in a frame, which some relays count. */
const FRAME_OVERHEAD_BYTES = 128;
/** Only events that are larger than what got through by this factor are suspected for their size. */
const SUSPICIOUS_FACTOR = 1.5;
/** Suspected events that were lost in a row, after which their size is the reason. */
const TROUBLES = 3;

interface Sizes {
  limitBytes: number;
  /** Largest event that arrived. */
  largestBytes: number;
  troubles: number;
}

export class EventSizes {
  readonly #log: Logger | undefined;
  readonly #byLink = new WeakMap<RelayLink, Sizes>();

  /** @param log told when events to a relay become smaller because large ones get lost */
  constructor(log?: Logger) {
    this.#log = log;
  }

  /** The largest event to send, in bytes of JSON. */
  limitBytes(link: RelayLink): number {
    return Math.min(link.eventLimitBytes, this.#of(link).limitBytes);
  }

  /** An event of so many bytes arrived, or the relay has taken it. */
  arrived(link: RelayLink, eventBytes: number): void {
    const sizes = this.#of(link);
    if (eventBytes <= sizes.largestBytes) return;
    sizes.largestBytes = eventBytes;
    sizes.troubles = 0;
  }

  /** The relay says that an event of so many bytes is too large. */
  refused(link: RelayLink, eventBytes: number, reason: string): void {
    const bound = boundIn(reason, eventBytes);
    const less = Math.floor((eventBytes * 3) / 4);
    this.#shrink(link, bound === undefined ? less : bound - FRAME_OVERHEAD_BYTES);
  }

  /** An event of so many bytes was lost, nobody says why. */
  lost(link: RelayLink, eventBytes: number): void {
    const sizes = this.#of(link);
    const { largestBytes } = sizes;
    if (largestBytes === 0 || eventBytes < SUSPICIOUS_FACTOR * largestBytes) return;
    sizes.troubles += 1;
    if (sizes.troubles < TROUBLES || eventBytes / 2 < LEAST_EVENT_BYTES) return;
    sizes.troubles = 0;
    this.#shrink(link, Math.max(largestBytes, Math.floor(eventBytes / 2)));
    const { limitBytes } = sizes;
    this.#log?.info({ relay: link.url, limitBytes, habit: 'loses large events' }, 'smaller events');
  }

  #shrink(link: RelayLink, bytes: number): void {
    const sizes = this.#of(link);
    sizes.limitBytes = Math.max(LEAST_EVENT_BYTES, Math.min(sizes.limitBytes, bytes));
  }

  #of(link: RelayLink): Sizes {
    const known = this.#byLink.get(link);
    if (known !== undefined) return known;
    const sizes = { limitBytes: Number.MAX_VALUE, largestBytes: 0, troubles: 0 };
    this.#byLink.set(link, sizes);
    return sizes;
  }
}
