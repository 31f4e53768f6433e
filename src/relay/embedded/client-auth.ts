// NIP-42 as the embedded relay asks it of one client: the challenge, and as whom the client has answered.
// Who is locked out of what is client.ts's matter.
import { randomUUID } from 'node:crypto';
import { verifyEvent } from '../../crypto/signer.js';
import { tagValue } from '../../protocol/wire/events.js';

const AUTH_KIND = 22242;
/** NIP-42: an answer to a challenge is about ten minutes old at most. */
const MAX_AUTH_AGE_S = 600;
/** Keys that one client may answer as. */
const MAX_KEYS = 64;

export class ClientAuth {
  readonly #host: string;
  readonly #keys = new Set<string>();
  #challenge: string | undefined;

  /** @param host what the client calls this relay */
  constructor(host: string) {
    this.#host = host;
  }

  get isAsked(): boolean {
    return this.#challenge !== undefined;
  }

  get isDone(): boolean {
    return this.#keys.size > 0;
  }

  has(pubkey: string): boolean {
    return this.#keys.has(pubkey);
  }

  /** A new challenge; earlier answers count no more. */
  ask(): string {
    this.#keys.clear();
    this.#challenge = randomUUID();
    return this.#challenge;
  }

  /** Whether this is a good answer to the challenge; then its key counts from here on. */
  answer(value: unknown): boolean {
    if (!verifyEvent(value) || value.kind !== AUTH_KIND || this.#keys.size >= MAX_KEYS)
      return false;
    const relay = tagValue(value, 'relay') ?? '';
    const ageS = Math.abs(Date.now() / 1000 - value.created_at);
    const isGood =
      this.#challenge !== undefined &&
      tagValue(value, 'challenge') === this.#challenge &&
      URL.canParse(relay) &&
      new URL(relay).host === this.#host &&
      ageS <= MAX_AUTH_AGE_S;
    if (isGood) this.#keys.add(value.pubkey);
    return isGood;
  }
}
