// Somebody who sees what all relays see: that messages pass, from whom and to whom.

import { until } from '../../support/until.js';
import { type Overheard, Party } from './party.js';

export class Eavesdropper {
  readonly #party: Party;
  #heard: Overheard[] = [];
  #marks = 0;

  private constructor(party: Party) {
    this.#party = party;
  }

  static async start(relays: readonly string[]): Promise<Eavesdropper> {
    const party = await Party.join(relays);
    const eavesdropper = new Eavesdropper(party);
    await party.overhear((message) => eavesdropper.#hear(message));
    return eavesdropper;
  }

  /** The messages since the last time, or since the start; each counts once. */
  async take(): Promise<readonly Overheard[]> {
    // A message of our own comes behind what was there before it.
    const marks = this.#marks;
    await this.#party.send({ to: this.#party.pubkey, scheme: 'nip44', text: 'so far' });
    await until(() => this.#marks > marks);
    return this.#heard.splice(0);
  }

  close(): void {
    this.#party.leave();
  }

  #hear(message: Overheard): void {
    if (message.from === this.#party.pubkey) this.#marks += 1;
    else this.#heard.push(message);
  }
}
