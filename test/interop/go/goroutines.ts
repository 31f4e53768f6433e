// Handles what arrives nearly at once in another order, as a program does that starts a goroutine for each event.

/** Events this close to the first one of a burst overtake each other. */
const BURST_MS = 1;

export class Goroutines<T> {
  readonly #handle: (item: T) => void;
  readonly #random: () => number;
  #burst: T[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** How often one has overtaken another. */
  swaps = 0;

  constructor(handle: (item: T) => void, random: () => number) {
    this.#handle = handle;
    this.#random = random;
  }

  start(item: T): void {
    this.#burst.push(item);
    this.#timer ??= setTimeout(() => this.#run(), BURST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#burst = [];
  }

  #run(): void {
    const burst = this.#burst;
    this.#timer = undefined;
    this.#burst = [];
    for (let index = 1; index < burst.length; index += 1) {
      if (this.#random() < 0.5) continue;
      [burst[index - 1], burst[index]] = [burst[index]!, burst[index - 1]!];
      this.swaps += 1;
    }
    for (const item of burst) this.#handle(item);
  }
}
