// All ways to one peer, and the questions whether it listens there. Pure.

import type { Message } from '../wire/message.js';
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

  /** A question to the peer that is to go over this path, unless one went there lately. */
  question(path: Path, newKey: () => string, now: number): Message | undefined {
    if (!path.mayAsk(now)) return undefined;
    const key = newKey();
    path.asked(key, now);
    return { type: 'PING', key };
  }

  /** The peer answers. Returns whether one of these questions was meant. */
  answered(key: string, now: number): boolean {
    return this.#all.some((path) => path.answered(key, now));
  }
}
