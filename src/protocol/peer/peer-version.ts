// Up to which version of reliable streams a peer speaks, and so what it is written in. Pure.

import { STREAM_VERSION } from '../../limits.js';
import { type Encoding, FRAMES, FRAMES_VERSION, JSON_ENCODING } from '../wire/encoding.js';

export class PeerVersion {
  readonly #ours: number;
  #theirs = 0;
  /** The peer says so itself, and now. */
  #isSure = false;

  /** @param ours the version up to which we speak them */
  constructor(ours = STREAM_VERSION) {
    this.#ours = ours;
  }

  /** An event of the peer's says it, which may be an old one. */
  suggest(version: number): void {
    if (!this.#isSure) this.#theirs = version;
  }

  /** The peer says it to us, or shows it. */
  learn(version: number): void {
    this.#theirs = version;
    this.#isSure = true;
  }

  /** No answer comes: where nothing but an event has said it, the peer may be of an older version by now. */
  doubt(): void {
    if (!this.#isSure) this.#theirs = 0;
  }

  /** What the peer reads best, as far as is known. */
  get encoding(): Encoding {
    return Math.min(this.#theirs, this.#ours) >= FRAMES_VERSION ? FRAMES : JSON_ENCODING;
  }
}
