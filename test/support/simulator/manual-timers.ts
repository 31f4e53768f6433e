// Timers and a clock that a test moves by hand, for what waits and has to wait no more and no less.

import { setImmediate as turn } from 'node:timers/promises';

/** Stands in for the timers and the clock of the process until `restore`. */
export class ManualTimers {
  readonly #own = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  readonly #ownNow = performance.now;
  readonly #waiting = new Map<object, { readonly act: () => void; readonly at: number }>();
  #now = 1_000;

  constructor() {
    const set = (act: () => void, ms = 0): object => {
      const timer = {};
      this.#waiting.set(timer, { act, at: this.#now + ms });
      return timer;
    };
    const clear = (timer?: object): boolean => timer !== undefined && this.#waiting.delete(timer);
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    performance.now = () => this.#now;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Lets so much time pass, and everything happen that is due then. */
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const [timer, { act, at }] of this.#waiting) {
      if (at <= this.#now && this.#waiting.delete(timer)) act();
    }
    await settle();
  }

  restore(): void {
    Object.assign(globalThis, this.#own);
    performance.now = this.#ownNow;
  }
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let count = 0; count < 20; count += 1) await turn();
}
