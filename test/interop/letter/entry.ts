// Stands in for a client that was written from the text of NIP-443 alone: one key for all of its streams, and it
// listens before it asks.

import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { readName } from '../ground/names.js';
import { type Letter, Party, type Scheme } from '../ground/party.js';
import { StreamEnd } from '../ground/stream-end.js';
import { type LetterMessage, readLetterMessage, writeLetterMessage } from './message.js';

export interface LetterEntryOptions {
  /** Name of the exit that it goes through. */
  readonly exit: string;
  readonly scheme: Scheme;
  /** As in the document's example: printable data as plain text, and the first of it along with CONNECT. */
  readonly asInExample: boolean;
}

export class LetterEntry {
  readonly #options: LetterEntryOptions;
  readonly #party: Party;
  readonly #streams = new Map<string, StreamEnd>();

  private constructor(options: LetterEntryOptions, party: Party) {
    this.#options = options;
    this.#party = party;
  }

  static async start(options: LetterEntryOptions): Promise<LetterEntry> {
    const party = await Party.join(readName(options.exit).relays);
    const entry = new LetterEntry(options, party);
    await party.listen((letter) => entry.#handle(letter));
    return entry;
  }

  /** What relays have said against its events. */
  get refusals(): readonly string[] {
    return this.#party.refusals;
  }

  async connect(destination: string = this.#options.exit): Promise<Duplex> {
    const key = randomUUID();
    let type: LetterMessage['type'] = 'CONNECT';
    const send = async (data?: Buffer): Promise<void> => {
      const message = { key, type, data, ...(type === 'CONNECT' && { destination }) };
      type = 'DATA';
      await this.#say(message);
    };
    const onClose = (): unknown => this.#streams.delete(key);
    const stream = new StreamEnd({ send, onClose });
    this.#streams.set(key, stream);
    if (!this.#options.asInExample) await send();
    return stream;
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.destroy();
    this.#party.leave();
  }

  #say(message: LetterMessage): Promise<void> {
    const { exit, scheme, asInExample } = this.#options;
    const text = writeLetterMessage(message, asInExample);
    return this.#party.send({ to: readName(exit).pubkey, scheme, text });
  }

  #handle({ text }: Letter): void {
    const { key, type, data } = readLetterMessage(text) ?? {};
    if (key === undefined || type !== 'DATA' || data === undefined) return;
    this.#streams.get(key)?.receive(data);
  }
}
