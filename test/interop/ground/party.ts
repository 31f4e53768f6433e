// Somebody with a key on relays who sends and gets encrypted messages of NIP-443: what all stand-ins have in common.
// What the messages say is theirs.

import type { EventTemplate } from 'nostr-tools';
import { Relays } from './relays.js';

const MESSAGE_KIND = 28333;
/**
 * As the module that it is: the test runner requires the tests, and what they import in the usual way becomes
 * CommonJS, whose bindings make nostr-tools' cryptography three times slower.
 */
const nostrTools = import('nostr-tools');

type NostrTools = Awaited<typeof nostrTools>;

export type Scheme = 'nip04' | 'nip44';

export interface Letter {
  readonly from: string;
  readonly scheme: Scheme;
  readonly text: string;
}

/** What everybody can see of a message. */
export interface Overheard {
  readonly from: string;
  readonly to: string | undefined;
}

export class Party {
  readonly pubkey: string;
  readonly #tools: NostrTools;
  readonly #secretKey: Uint8Array;
  readonly #relays: Relays;
  /** Keys of conversations, by peer. */
  readonly #shared = new Map<string, Uint8Array>();

  private constructor(tools: NostrTools, secretKey: Uint8Array, relays: Relays) {
    this.#tools = tools;
    this.#secretKey = secretKey;
    this.#relays = relays;
    this.pubkey = tools.getPublicKey(secretKey);
  }

  static async join(relays: readonly string[], secretKey?: Uint8Array): Promise<Party> {
    const tools = await nostrTools;
    const connected = await Relays.connect(relays);
    return new Party(tools, secretKey ?? tools.generateSecretKey(), connected);
  }

  /** What relays have said against our events. */
  get refusals(): readonly string[] {
    return this.#relays.refusals;
  }

  /**
   * Resolves when all relays listen for us. What can't be decrypted is left out.
   * @param authors whose messages to ask for; default: everybody's
   */
  async listen(onLetter: (letter: Letter) => void, authors?: readonly string[]): Promise<void> {
    const filter = { kinds: [MESSAGE_KIND], since: nowS(), '#p': [this.pubkey] };
    const narrow = authors && { authors: [...authors] };
    await this.#relays.subscribe({ ...filter, ...narrow }, ({ pubkey, content }) => {
      const letter = this.#open(pubkey, content);
      if (letter !== undefined) onLetter(letter);
    });
  }

  /** Instead of `listen`: hears of every message, whomever it is for. */
  async overhear(onMessage: (message: Overheard) => void): Promise<void> {
    const filter = { kinds: [MESSAGE_KIND], since: nowS() };
    await this.#relays.subscribe(filter, ({ pubkey: from, tags }) => {
      onMessage({ from, to: tags.find(([name]) => name === 'p')?.[1] });
    });
  }

  /** Resolves when all relays have answered. */
  async send({ to, scheme, text }: { to: string; scheme: Scheme; text: string }): Promise<void> {
    const { nip04, nip44 } = this.#tools;
    const content =
      scheme === 'nip04'
        ? nip04.encrypt(this.#secretKey, to, text)
        : nip44.encrypt(text, this.#conversation(to));
    await this.publish({ kind: MESSAGE_KIND, created_at: nowS(), tags: [['p', to]], content });
  }

  async publish(template: EventTemplate): Promise<void> {
    await this.#relays.publish(this.#tools.finalizeEvent(template, this.#secretKey));
  }

  leave(): void {
    this.#relays.close();
  }

  #open(from: string, content: string): Letter | undefined {
    const { nip04, nip44 } = this.#tools;
    const scheme = content.includes('?iv=') ? 'nip04' : 'nip44';
    try {
      const text =
        scheme === 'nip04'
          ? nip04.decrypt(this.#secretKey, from, content)
          : nip44.decrypt(content, this.#conversation(from));
      return { from, scheme, text };
    } catch {
      return undefined;
    }
  }

  #conversation(peer: string): Uint8Array {
    const known = this.#shared.get(peer);
    if (known !== undefined) return known;
    const key = this.#tools.nip44.getConversationKey(this.#secretKey, peer);
    this.#shared.set(peer, key);
    return key;
  }
}

export function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}
