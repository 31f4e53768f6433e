// A client that has ended its side may wait for its answer, or be gone (RFC 9112, section 9.6): a word that means
// nothing to the one is answered with a reset for the other.

/** A client that has ended its side is asked so soon whether it is there, and then at once again. */
const PROBE_MS = 2_000;
const PROBE_AGAIN_MS = 250;

export class ClientProbe {
  readonly #say: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param say sends the client an interim head */
  constructor(say: () => void) {
    this.#say = say;
  }

  /** To be called when the client has ended its side. */
  start(): void {
    this.#ask(PROBE_MS, PROBE_AGAIN_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Twice: the reset that answers the first word shows at the next, since nobody reads behind an end. */
  #ask(inMs: number, thenMs: number): void {
    this.#timer = setTimeout(() => {
      this.#ask(thenMs, inMs);
      this.#say();
    }, inMs);
  }
}
