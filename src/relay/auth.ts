// NIP-42: answers a relay's challenges, and lets those wait who were refused for want of it. Relays ask on connecting,
// behind a refusal, and again later; some deliver to keys alone that have answered, so every key that listens does.
// Sends nothing itself: the signed events go through the port it is given.
import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import type { Signer } from '../crypto/signer.js';
import type { OnResult } from './publishing/outbox.js';

/** Kind of the event that answers a challenge. */
const AUTH_KIND = 22242;
const MAX_CHALLENGE_CHARS = 1_024;
/** Challenges that are answered within a minute: each costs signatures. */
const MAX_CHALLENGES = 16;
const MINUTE_MS = 60_000;
/** Keys that answer one challenge. */
const MAX_KEYS = 32;
/** How long a challenge may take to follow a refusal. */
const CHALLENGE_WAIT_MS = 2_000;
/** How long an OK may take; a relay that is silent then, as nostr-rs-relay is, has nothing against us. */
const ANSWER_WAIT_MS = 1_000;

export interface AuthenticatorOptions {
  /** As the relay knows itself. */
  readonly url: () => string;
  readonly log: Logger;
  /** Who is to answer; nobody: challenges are ignored. */
  readonly signers: () => readonly Signer[];
  send(event: NostrEvent, onResult: OnResult): void;
}

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  #challenge: string | undefined;
  /** Keys that have answered the challenge. */
  readonly #answered = new Set<string>();
  #pending = 0;
  #isAccepted = false;
  #challenges = 0;
  #countedSince = Number.NEGATIVE_INFINITY;
  #waiters: ((accepted: boolean) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  onChallenge(challenge: string): void {
    if (challenge.length > MAX_CHALLENGE_CHARS || !this.#mayAnswer()) return;
    this.#challenge = challenge;
    this.#answered.clear();
    this.#pending = 0;
    this.#isAccepted = false;
    this.answer();
  }

  /** Answers the latest challenge, if there is one, as the keys that have yet to do so. */
  answer(): void {
    const challenge = this.#challenge;
    if (challenge === undefined) return;
    const keys = this.#options.signers().filter(({ pubkey }) => !this.#answered.has(pubkey));
    for (const signer of keys.slice(0, MAX_KEYS - this.#answered.size)) {
      this.#answered.add(signer.pubkey);
      this.#pending += 1;
      const event = signer.sign(this.#template(challenge));
      this.#options.send(event, ({ ok, reason, isUnanswered }) => {
        if (this.#challenge === challenge) this.#finish(ok || isUnanswered === true, reason);
      });
    }
    if (this.#pending > 0) this.#settleIn(ANSWER_WAIT_MS, true);
  }

  /** Calls back when the authentication has succeeded or failed: at once if that is known. */
  whenDone(callback: (accepted: boolean) => void): void {
    if (this.#pending > 0) this.#waiters.push(callback);
    else if (this.#challenge !== undefined || this.#options.signers().length === 0)
      callback(this.#isAccepted);
    else {
      this.#waiters.push(callback);
      this.#settleIn(CHALLENGE_WAIT_MS, false);
    }
  }

  /** A new connection starts without authentication. */
  reset(): void {
    this.#challenges = 0;
    this.#challenge = undefined;
    this.#isAccepted = false;
    this.#settle(false);
  }

  #template(challenge: string) {
    const tags = [
      ['relay', this.#options.url()],
      ['challenge', challenge],
    ];
    return { kind: AUTH_KIND, created_at: Math.floor(Date.now() / 1000), tags, content: '' };
  }

  #mayAnswer(): boolean {
    const now = performance.now();
    if (now - this.#countedSince >= MINUTE_MS) {
      this.#countedSince = now;
      this.#challenges = 0;
    }
    return ++this.#challenges <= MAX_CHALLENGES;
  }

  #finish(isAccepted: boolean, reason: string): void {
    if (this.#pending === 0) return;
    this.#pending -= 1;
    this.#isAccepted ||= isAccepted;
    const { log, url } = this.#options;
    if (!isAccepted) log.warn({ relay: url(), reason }, 'relay refused our AUTH');
    if (this.#pending === 0) this.#settle(this.#isAccepted);
  }

  #settleIn(delayMs: number, isAccepted: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isAccepted ||= isAccepted;
      this.#settle(this.#isAccepted);
    }, delayMs);
  }

  #settle(isAccepted: boolean): void {
    clearTimeout(this.#timer);
    this.#pending = 0;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter(isAccepted);
  }
}
