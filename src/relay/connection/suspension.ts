// Notices that the process stood still: a laptop that slept, a container that was frozen. Connections that
// look open after that are mostly dead, and nobody tells.

/** How often the clock is looked at. */
const TICK_MS = 2_000;
/** A tick that comes so much later was no busy moment. */
const GAP_MS = 8_000;

export class Suspension {
  readonly #timer: NodeJS.Timeout;

  /** @param onResume gets the length of the gap in ms */
  constructor(onResume: (gapMs: number) => void, clock: () => number = Date.now) {
    let lastAt = clock();
    this.#timer = setInterval(() => {
      const now = clock();
      const gapMs = now - lastAt - TICK_MS;
      lastAt = now;
      if (gapMs >= GAP_MS) onResume(gapMs);
    }, TICK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
