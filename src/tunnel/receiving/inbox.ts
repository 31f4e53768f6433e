// The one subscription that a link carries for all streams of the process: messages for any key of ours, and
// what exits publish when they start.

import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { KIND } from '../../protocol/wire/events.js';
import type { LongContent } from '../../protocol/wire/frame-text.js';
import type { RelayLink, Subscription } from '../../relay/link.js';

/** What an exit publishes when it starts: a sign that it no longer knows the streams from before. */
export const START_KINDS: readonly number[] = [KIND.relayList, KIND.certificate];

/** @param content where it is long base64 */
export type OnEvent = (event: NostrEvent, link: RelayLink, content?: LongContent) => void;

export class Inbox {
  readonly link: RelayLink;
  readonly #onEvent: OnEvent;
  /** Keys of ours, and how many need events for each. */
  readonly #receivers = new Counts();
  /** Exits whose start is watched for. */
  readonly #exits = new Counts();
  #subscription: Subscription | undefined;

  constructor(link: RelayLink, onEvent: OnEvent) {
    this.link = link;
    this.#onEvent = onEvent;
  }

  get isEmpty(): boolean {
    return this.#receivers.isEmpty;
  }

  /** Keys of ours that listen. */
  get receivers(): string[] {
    return this.#receivers.keys;
  }

  /** Listens for messages to `receiver`, and for the start of `exit`. */
  add(receiver: string, exit?: string): void {
    const isNewReceiver = this.#receivers.add(receiver);
    const isNewExit = exit !== undefined && this.#exits.add(exit);
    if (isNewReceiver || isNewExit) this.#subscribe();
  }

  remove(receiver: string, exit?: string): void {
    const wasLast = this.#receivers.remove(receiver);
    const wasLastExit = exit !== undefined && this.#exits.remove(exit);
    if (this.isEmpty) this.close();
    else if (wasLast || wasLastExit) this.#subscribe();
  }

  #subscribe(): void {
    // The relay may serve keys alone that have authenticated.
    this.link.authenticate();
    // Relays store "ephemeral" events for minutes and replay them to every new subscription: limit 0 spares us.
    const filters: Filter[] = [{ kinds: [KIND.message], '#p': this.#receivers.keys, limit: 0 }];
    if (!this.#exits.isEmpty) {
      filters.push({ kinds: [...START_KINDS], authors: this.#exits.keys, limit: 0 });
    }
    if (this.#subscription === undefined) {
      const onEvent = (event: NostrEvent, content?: LongContent): void =>
        this.#onEvent(event, this.link, content);
      this.#subscription = this.link.subscribe(filters, { onEvent, isStanding: true });
    } else this.#subscription.update(filters);
  }

  close(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }
}

/** How often each key was added and not removed. */
class Counts {
  readonly #counts = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  get keys(): string[] {
    return [...this.#counts.keys()];
  }

  /** Returns whether the key is new. */
  add(key: string): boolean {
    const count = this.#counts.get(key) ?? 0;
    this.#counts.set(key, count + 1);
    return count === 0;
  }

  /** Returns whether the key is gone. */
  remove(key: string): boolean {
    const count = (this.#counts.get(key) ?? 0) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    return count <= 0;
  }
}
