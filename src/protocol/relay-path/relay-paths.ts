// All ways to one peer. Pure.

import { RelayPath } from './relay-path.js';

export class RelayPaths {
  /** The one where the caller knows no others. */
  readonly only = new RelayPath();
  readonly #all: RelayPath[] = [];

  /** One more relay, for as long as the peer is known. */
  add(): RelayPath {
    const path = new RelayPath();
    this.#all.push(path);
    return path;
  }

  /** The peer answers a question, which may have gone over one of them. */
  answered(key: string, now: number): void {
    for (const path of this.#all) path.answered(key, now);
  }
}
