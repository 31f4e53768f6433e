// Sums by name, of the names that were met last: what clients, exits and destinations have had.

import { BoundedMap } from '../../common/bounded.js';
import type { Bytes } from './open-stream.js';

/** Names are strangers' to choose; beyond this, who was met longest ago is forgotten. */
const MAX_NAMES = 512;

export interface Tally extends Bytes {
  opened: number;
  refused: number;
  /** Of streams that have ended. */
  bytesUp: number;
  bytesDown: number;
  /** Unix ms. */
  metAt: number;
}

export class Tallies {
  readonly #tallies = new BoundedMap<string, Tally>(MAX_NAMES);

  opened(name: string): void {
    this.#met(name).opened += 1;
  }

  refused(name: string): void {
    this.#met(name).refused += 1;
  }

  ended(name: string, { bytesUp, bytesDown }: Bytes): void {
    const tally = this.#met(name);
    tally.bytesUp += bytesUp;
    tally.bytesDown += bytesDown;
  }

  /** Who was met last comes last. */
  entries(): Iterable<[name: string, Readonly<Tally>]> {
    return this.#tallies.entries();
  }

  #met(name: string): Tally {
    const tally = this.#tallies.get(name) ?? none();
    tally.metAt = Date.now();
    this.#tallies.set(name, tally);
    return tally;
  }
}

function none(): Tally {
  return { opened: 0, refused: 0, bytesUp: 0, bytesDown: 0, metAt: 0 };
}
