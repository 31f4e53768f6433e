// Waiting for answers of several links at once: when there is enough, or no more to come.
// What the question was is query.ts's matter.
import type { RelayLink } from './link.js';

/** After the first useful answer, slower relays get this much longer. */
const GRACE_MS = 300;

export interface GatheringOptions {
  readonly links: readonly RelayLink[];
  readonly timeoutMs: number;
  /** With no answer at all, wait on for relays that are down: they may come back. */
  readonly patient: boolean;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

export class Gathering {
  readonly #options: GatheringOptions;
  readonly #answered = new Set<RelayLink>();
  readonly #down = new Set<RelayLink>();
  readonly #cleanups: (() => void)[] = [];
  #inGrace = false;
  #end: () => void = () => undefined;
  /** Settles when it is over; never rejects. */
  readonly over = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  constructor(options: GatheringOptions) {
    this.#options = options;
    this.#after(options.timeoutMs);
    const onAbort = (): void => this.#finish();
    options.signal.addEventListener('abort', onAbort);
    this.onOver(() => options.signal.removeEventListener('abort', onAbort));
    for (const link of options.links) this.#watch(link);
  }

  get hasAnswers(): boolean {
    return this.#answered.size > 0;
  }

  /** A link has said all it has to say; a useful answer leaves the others little time. */
  answer(link: RelayLink, useful: boolean): void {
    this.#answered.add(link);
    this.#check();
    if (!useful || this.#inGrace) return;
    this.#inGrace = true;
    this.#after(GRACE_MS);
  }

  /** Runs when it is over, whatever the reason. */
  onOver(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  #watch(link: RelayLink): void {
    const onDown = (): void => {
      this.#down.add(link);
      this.#check();
    };
    const onUp = (): unknown => this.#down.delete(link);
    link.on('up', onUp).on('down', onDown).on('unreachable', onDown);
    this.onOver(() => link.off('up', onUp).off('down', onDown).off('unreachable', onDown));
    if (!link.isUp) link.kick();
  }

  #check(): void {
    const { links, patient } = this.#options;
    const settled = links.every((link) => this.#answered.has(link) || this.#down.has(link));
    if (settled && (this.hasAnswers || !patient)) this.#finish();
  }

  #after(delayMs: number): void {
    const timer = setTimeout(() => this.#finish(), delayMs);
    this.onOver(() => clearTimeout(timer));
  }

  #finish(): void {
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    this.#end();
  }
}
