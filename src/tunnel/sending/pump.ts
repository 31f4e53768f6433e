// Who may publish next: peers that have something to say take turns, one event each, so that a busy one never starves
// the others, and the process looks at its sockets between the rounds.

/** Events published in one go. */
const EVENTS_A_ROUND = 8;

export interface Sender {
  /** Publishes one event. Returns whether there was one and a relay to take it. */
  sendOne(): boolean;
  /** Nothing to say, or no relay to say it to: the next input or the link's room brings it back. */
  settle(): void;
}

export class Pump<S extends Sender> {
  readonly #ready = new Set<S>();
  #next: NodeJS.Immediate | undefined;

  /** It has something to say. */
  schedule(sender: S): void {
    this.#ready.add(sender);
    this.#next ??= setImmediate(() => this.#round());
  }

  forget(sender: S): void {
    this.#ready.delete(sender);
  }

  #round(): void {
    this.#next = undefined;
    for (let turn = 0; turn < EVENTS_A_ROUND && this.#ready.size > 0; turn += 1) {
      const [sender] = this.#ready;
      this.#ready.delete(sender!);
      if (sender!.sendOne()) this.#ready.add(sender!);
      else sender!.settle();
    }
    if (this.#ready.size > 0) this.#next ??= setImmediate(() => this.#round());
  }

  close(): void {
    clearImmediate(this.#next);
    this.#ready.clear();
  }
}
