// All ways to one peer. Pure.

import { Path } from './path.js';

export class Paths {
  /** The one where the caller knows no others. */
  readonly only = new Path();
  readonly #all: Path[] = [];

  /** One more relay, for as long as the peer is known. */
  add(): Path {
    const path = new Path();
    this.#all.push(path);
    return path;
  }

  /** The peer answers a question, which may have gone over one of them. */
  answered(key: string, now: number): void {
    for (const path of this.#all) path.answered(key, now);
  }
}
