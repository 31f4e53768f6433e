// Messages that belong to no stream, or to none that is here: questions whether the peer is there, and answers
// about streams that nobody knows. Bounded, since a peer can provoke them. Pure.

import type { RelayPath } from '../relay-path/relay-path.js';
import type { Message } from '../wire/message.js';
import { MAX_ASKED_AFTER } from './liveness.js';
import { RateLimit } from './rate-limit.js';

/** Answers about streams that nobody knows, a second: those of one question, and no more than fits an event or two. */
const STRAY_ANSWERS_PER_S = MAX_ASKED_AFTER;
const MAX_WAITING = 512;

export class ControlQueue {
  /** What waits to be sent; taken from the front. */
  readonly messages: Message[] = [];
  readonly #newKey: () => string;
  readonly #answers = new RateLimit(STRAY_ANSWERS_PER_S);
  #ping: { readonly key: string; readonly sentAt: number } | undefined;

  /** @param newKey a fresh random UUID */
  constructor(newKey: () => string) {
    this.#newKey = newKey;
  }

  get isEmpty(): boolean {
    return this.messages.length === 0;
  }

  say(message: Message): void {
    if (this.messages.length < MAX_WAITING) this.messages.push(message);
  }

  /** Says it unless the peer has provoked too many such answers. */
  answer(message: Message, now: number): void {
    if (this.#answers.allows(now)) this.say(message);
  }

  /** Asks the peer whether it listens at the end of this path. @returns what is to go over it */
  ask(path: RelayPath, now: number): Message {
    const key = this.#newKey();
    path.asked(key, now);
    return { type: 'PING', key };
  }

  /** Asks the peer whether it is there. */
  ping(now: number): void {
    const key = this.#newKey();
    this.#ping = { key, sentAt: now };
    this.say({ type: 'PING', key });
  }

  /** How long our last question was under way, if this answers it. In ms. */
  pong(key: string, now: number): number | undefined {
    if (this.#ping?.key !== key) return undefined;
    const elapsed = now - this.#ping.sentAt;
    this.#ping = undefined;
    return elapsed;
  }
}
