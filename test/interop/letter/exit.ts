// Stands in for an exit that was written from the text of NIP-443 alone: answers with DATA, says nothing else.

import { Backends } from '../ground/backends.js';
import { nameOf } from '../ground/names.js';
import { type Letter, nowS, Party, type Scheme } from '../ground/party.js';
import { readLetterMessage, writeLetterMessage } from './message.js';

const ANNOUNCEMENT_KIND = 38333;
const ANNOUNCED_FOR_S = 600;

export interface LetterExitOptions {
  readonly relays: readonly string[];
  /** Port of what it serves, on loopback. */
  readonly backend: number;
  /** The document allows either; default: what the client speaks. */
  readonly scheme?: Scheme;
  /** Printable data goes as plain text, as in the document's example. */
  readonly asText?: boolean;
  /** Publishes that it is there. */
  readonly announces?: boolean;
}

export class LetterExit {
  readonly name: string;
  readonly #options: LetterExitOptions;
  readonly #party: Party;
  readonly #backends: Backends;

  private constructor(options: LetterExitOptions, party: Party) {
    this.name = nameOf({ pubkey: party.pubkey, relays: options.relays });
    this.#options = options;
    this.#party = party;
    this.#backends = new Backends(options.backend);
  }

  static async start(options: LetterExitOptions): Promise<LetterExit> {
    const party = await Party.join(options.relays);
    const exit = new LetterExit(options, party);
    await party.listen((letter) => exit.#handle(letter));
    if (options.announces) await exit.#announce();
    return exit;
  }

  /** What relays have said against its events. */
  get refusals(): readonly string[] {
    return this.#party.refusals;
  }

  close(): void {
    this.#party.leave();
    this.#backends.close();
  }

  #announce(): Promise<void> {
    const tags = [['expiration', `${nowS() + ANNOUNCED_FOR_S}`]];
    return this.#party.publish({ kind: ANNOUNCEMENT_KIND, created_at: nowS(), tags, content: '' });
  }

  #handle(letter: Letter): void {
    const { key, type, data } = readLetterMessage(letter.text) ?? {};
    if (key === undefined) return;
    if (type === 'CONNECT' && !this.#backends.has(key)) {
      this.#backends.open(key, (piece) => this.#answer(letter, key, piece));
    }
    if (data !== undefined) this.#backends.write(key, data);
  }

  #answer(opening: Letter, key: string, data: Buffer): Promise<void> {
    const { asText = false, scheme = opening.scheme } = this.#options;
    const text = writeLetterMessage({ key, type: 'DATA', data }, asText);
    return this.#party.send({ to: opening.from, scheme, text });
  }
}
