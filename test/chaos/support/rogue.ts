// A peer, entry or exit, that sends whatever the test thinks of, by the protocol's letters but not its rules.

import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Event as NostrEvent } from 'nostr-tools';
import { pino } from 'pino';
import { createSigner, generateSecretKey } from '../../../src/crypto/signer.js';
import { decodePlaintext } from '../../../src/protocol/wire/encoding.js';
import { KIND, messageEvent } from '../../../src/protocol/wire/events.js';
import { encodeMessages, type Message } from '../../../src/protocol/wire/message.js';
import type { RelayLink } from '../../../src/relay/link.js';
import { RelayPool } from '../../../src/relay/pool.js';

const WAIT_MS = 5_000;

interface RogueEvents {
  message: [message: Message, from: string];
}

export class Rogue extends EventEmitter<RogueEvents> {
  readonly #signer = createSigner(generateSecretKey());
  readonly #pool = new RelayPool({ log: pino({ level: 'silent' }) });
  #link!: RelayLink;
  /** What it was told so far. */
  readonly heard: Message[] = [];

  static async at(relay: string): Promise<Rogue> {
    const rogue = new Rogue();
    rogue.#link = rogue.#pool.acquire(relay);
    await rogue.#pool.whenUp([relay], WAIT_MS);
    const filter = { kinds: [KIND.message], '#p': [rogue.pubkey], limit: 0 };
    await new Promise<void>((onEose) =>
      rogue.#link.subscribe([filter], { onEvent: (event) => rogue.#onEvent(event), onEose }),
    );
    return rogue;
  }

  get pubkey(): string {
    return this.#signer.pubkey;
  }

  /** Publishes these messages as one event; resolves when the relay has taken it. */
  send(to: string, ...messages: Message[]): Promise<void> {
    const content = this.#signer.encrypt(to, encodeMessages(messages));
    const event = this.#signer.sign(messageEvent(to, content, Math.floor(Date.now() / 1_000)));
    return new Promise((resolve) => this.#link.publish(event, () => resolve()));
  }

  /** Asks an exit for so many streams, in one event. Returns their keys. */
  async open(exit: string, destination: string, count: number, window: number): Promise<string[]> {
    const keys = Array.from({ length: count }, () => randomUUID() as string);
    const connects = keys.map(
      (key) => ({ type: 'CONNECT', key, destination, v: 1, window }) as const,
    );
    await this.send(exit, ...connects);
    return keys;
  }

  /** How many messages of a type it heard, of these streams. */
  count(type: Message['type'], keys: readonly string[]): number {
    const wanted = new Set(keys);
    return new Set(
      this.heard
        .filter((message) => message.type === type && wanted.has(message.key))
        .map(({ key }) => key),
    ).size;
  }

  /** What the peer said when it reset its streams, each once. */
  get resets(): string[] {
    const errors = this.heard.flatMap((message) =>
      message.type === 'RESET' ? [message.error] : [],
    );
    return [...new Set(errors)];
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #onEvent(event: NostrEvent): void {
    const { plaintext } = this.#signer.decrypt(event.pubkey, event.content);
    for (const message of decodePlaintext(plaintext).messages) {
      this.heard.push(message);
      this.emit('message', message, event.pubkey);
    }
  }
}

/** A message with bytes of a stream, from an offset on. */
export function bytesAt(key: string, offset: number, data: Buffer, window = 0): Message {
  return { type: 'DATA', key, offset, data, ack: 0, window, fin: false };
}
