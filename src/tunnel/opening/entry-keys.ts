// An entry's keys: the one that it was told to use, else a fresh one an exit and process, so that two exits can't
// tell that it is the same entry.

import { BoundedMap } from '../../common/bounded.js';
import { createSigner, generateSecretKey, type Signer } from '../../crypto/signer.js';

/** Exits whose key is remembered; past this the oldest is forgotten, and gets a new one. */
const MAX_EXITS = 4_096;

export class EntryKeys {
  readonly #given: Signer | undefined;
  readonly #byExit = new BoundedMap<string, Signer>(MAX_EXITS);
  readonly #first = createSigner(generateSecretKey());
  #isFirstTaken = false;

  constructor(given: Signer | undefined) {
    this.#given = given;
  }

  /** Shown to relays that demand a key: the one given, else that for the first exit. */
  get shown(): Signer {
    return this.#given ?? this.#first;
  }

  /** @param exit pubkey, hex */
  of(exit: string): Signer {
    if (this.#given !== undefined) return this.#given;
    let signer = this.#byExit.get(exit);
    if (signer === undefined) {
      signer = this.#isFirstTaken ? createSigner(generateSecretKey()) : this.#first;
      this.#isFirstTaken = true;
      this.#byExit.set(exit, signer);
    }
    return signer;
  }
}
