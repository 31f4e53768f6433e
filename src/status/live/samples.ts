// Throughput over time, in samples that are taken while somebody looks. Each covers the time since the one before.

import type { Traffic } from '../state/report.js';

/** A quarter of an hour, at one a second. */
const MAX_SAMPLES = 900;
/** Of two looks that are closer together, the second sees what the first saw. */
const LEAST_MS = 500;

export interface Sample extends Traffic {
  /** Its end, Unix ms. */
  readonly at: number;
  /** How long it lasted. */
  readonly seconds: number;
}

export class Samples {
  readonly #samples: Sample[] = [];
  #last: Traffic & { readonly at: number };

  /** @param at when what will be measured began, Unix ms */
  constructor(at: number) {
    this.#last = { at, bytesUp: 0, bytesDown: 0 };
  }

  get all(): readonly Sample[] {
    return this.#samples;
  }

  /** Takes one. @param sums since the beginning */
  take(sums: Traffic, at = Date.now()): void {
    const last = this.#last;
    // A clock that was set back begins anew.
    if (at >= last.at && at - last.at < LEAST_MS) return;
    const { bytesUp, bytesDown } = sums;
    this.#last = { at, bytesUp, bytesDown };
    if (at < last.at) return;
    this.#samples.push({
      at,
      seconds: (at - last.at) / 1_000,
      bytesUp: Math.max(0, bytesUp - last.bytesUp),
      bytesDown: Math.max(0, bytesDown - last.bytesDown),
    });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }
}
