// NIP-42: answers a relay's challenge, and lets those wait who were refused for want of it.
// Sends nothing itself: the signed event goes through the port it is given.
import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import type { Signer } from '../crypto/signer.js';
import type { OnResult } from './publishing/outbox.js';

/** Kind of the event that answers a challenge. */
const AUTH_KIND = 22242;
const MAX_CHALLENGE_CHARS = 1_024;
/** Challenges that are answered on one connection: each costs a signature. */
const MAX_CHALLENGES = 16;

export interface AuthenticatorOptions {
  readonly url: string;
  readonly log: Logger;
  readonly signer: (() => Signer | undefined) | undefined;
  send(event: NostrEvent, onResult: OnResult): void;
}

type State = 'unasked' | 'pending' | 'accepted' | 'refused';

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  #state: State = 'unasked';
  #challenges = 0;
  #waiters: ((accepted: boolean) => void)[] = [];

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  onChallenge(challenge: string): void {
    const signer = this.#options.signer?.();
    if (signer === undefined || challenge.length > MAX_CHALLENGE_CHARS) return;
    if (++this.#challenges > MAX_CHALLENGES) return;
    const event = signer.sign({
      kind: AUTH_KIND,
      created_at: Math.floor(Date.now() / 1000),
      tags: [
        ['relay', this.#options.url],
        ['challenge', challenge],
      ],
      content: '',
    });
    this.#state = 'pending';
    this.#options.send(event, ({ ok, reason }) => this.#finish(ok, reason));
  }

  /** Calls back when the authentication has succeeded or failed: at once if that is known. */
  whenDone(callback: (accepted: boolean) => void): void {
    if (this.#state === 'pending') this.#waiters.push(callback);
    else callback(this.#state === 'accepted');
  }

  /** A new connection starts without authentication. */
  reset(): void {
    this.#challenges = 0;
    this.#settle('unasked');
  }

  #finish(ok: boolean, reason: string): void {
    if (this.#state !== 'pending') return;
    if (!ok) this.#options.log.warn({ relay: this.#options.url, reason }, 'relay refused our AUTH');
    this.#settle(ok ? 'accepted' : 'refused');
  }

  #settle(state: State): void {
    this.#state = state;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter(state === 'accepted');
  }
}
