// Plain data that came before its CONNECT: two relays, or one that reorders, turn them round. Kept for a moment,
// within bounds, in the order of arrival. Pure.

import type { Memory } from '../stream/receive-half.js';

/** How long a CONNECT may be behind. */
const KEPT_MS = 3_000;
/** More than a client sends before it hears anything. In bytes, of one peer. */
const MAX_BYTES = 128 * 1024;
const MAX_PIECES = 64;

interface Stray {
  readonly key: string;
  readonly data: Buffer;
  readonly until: number;
}

export class PlainStrays {
  readonly #memory: Memory;
  #strays: Stray[] = [];
  #bytes = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  keep(key: string, data: Buffer, now: number): void {
    const isFull = this.#strays.length >= MAX_PIECES || this.#bytes + data.length > MAX_BYTES;
    if (isFull || !this.#memory.take(data.length, false)) return;
    this.#strays.push({ key, data, until: now + KEPT_MS });
    this.#bytes += data.length;
  }

  /** What came for this stream, which is there now. */
  claim(key: string): Buffer[] {
    return this.#release((stray) => stray.key === key);
  }

  forgetOld(now: number): void {
    if (this.#strays.length > 0) this.#release(({ until }) => until <= now);
  }

  #release(isOut: (stray: Stray) => boolean): Buffer[] {
    const out = this.#strays.filter(isOut);
    this.#strays = this.#strays.filter((stray) => !isOut(stray));
    for (const { data } of out) {
      this.#bytes -= data.length;
      this.#memory.give(data.length);
    }
    return out.map(({ data }) => data);
  }

  /** When the oldest is forgotten, in ms. */
  get wakeAt(): number | undefined {
    return this.#strays[0]?.until;
  }
}
