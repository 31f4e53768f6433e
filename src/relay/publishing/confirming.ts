// How a relay treats what it takes: NIP-01 wants an OK for every event, and not every relay says one for ephemeral
// events, though it delivers them. Learned from what happens, never configured.

import { BoundedSet } from '../../common/bounded.js';

/** Events in a row that arrived without an OK, by the word of who got them, after which that is a habit. */
const HABIT_EVENTS = 16;
/** Events that the receiver confirmed before the relay did: their OK may still come, and then counts. */
const MAX_EARLY = 256;

export type ConfirmingHabit = 'confirms' | 'delivers, never confirms' | 'delivers, confirms some';

export class Confirming {
  readonly #onHabit: (habit: ConfirmingHabit) => void;
  readonly #early = new BoundedSet<string>(MAX_EARLY);
  #unconfirmed = 0;
  #hasConfirmed = false;
  #isMute = false;

  /** @param onHabit told when the relay begins to leave events unconfirmed */
  constructor(onHabit: (habit: ConfirmingHabit) => void) {
    this.#onHabit = onHabit;
  }

  /** The relay answers ephemeral events now and then, at least. */
  get hasConfirmed(): boolean {
    return this.#hasConfirmed;
  }

  /** Waiting for an OK is in vain. */
  get isMute(): boolean {
    return this.#isMute;
  }

  get habit(): ConfirmingHabit {
    if (!this.#isMute) return 'confirms';
    return this.#hasConfirmed ? 'delivers, confirms some' : 'delivers, never confirms';
  }

  /** The relay has answered for an ephemeral event. */
  answered(): void {
    this.#unconfirmed = 0;
    this.#hasConfirmed = true;
    this.#isMute = false;
  }

  /** An answer to an event that was not waiting any more. */
  answeredLate(id: string): void {
    if (this.#early.delete(id)) this.answered();
  }

  /** The receiver has an ephemeral event that the relay has said nothing about. */
  delivered(id: string): void {
    this.#early.add(id);
    this.#unconfirmed += 1;
    if (this.#unconfirmed >= HABIT_EVENTS) this.#fallMute();
  }

  /** Nothing was heard about an ephemeral event, of the relay or of a receiver. */
  unanswered(): void {
    if (!this.#hasConfirmed) this.#fallMute();
  }

  #fallMute(): void {
    if (this.#isMute) return;
    this.#isMute = true;
    this.#onHabit(this.habit);
  }
}
