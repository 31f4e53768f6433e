// The one subscription that a link carries for all streams of the process: message events for any key of ours.

import type { Event as NostrEvent } from 'nostr-tools';
import { KIND } from '../protocol/events.js';
import type { RelayLink, Subscription } from '../relay/link.js';

export class Inbox {
  readonly link: RelayLink;
  readonly #onEvent: (event: NostrEvent, link: RelayLink) => void;
  /** How many need events for this key of ours. */
  readonly #users = new Map<string, number>();
  #subscription: Subscription | undefined;

  constructor(link: RelayLink, onEvent: (event: NostrEvent, link: RelayLink) => void) {
    this.link = link;
    this.#onEvent = onEvent;
  }

  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  add(pubkey: string): void {
    const users = this.#users.get(pubkey) ?? 0;
    this.#users.set(pubkey, users + 1);
    if (users === 0) this.#subscribe();
  }

  remove(pubkey: string): void {
    const users = (this.#users.get(pubkey) ?? 0) - 1;
    if (users > 0) {
      this.#users.set(pubkey, users);
      return;
    }
    this.#users.delete(pubkey);
    if (this.isEmpty) this.close();
    else this.#subscribe();
  }

  #subscribe(): void {
    // Relays store "ephemeral" events for minutes and replay them to every new subscription: limit 0 spares us.
    const filters = [{ kinds: [KIND.message], '#p': [...this.#users.keys()], limit: 0 }];
    if (this.#subscription === undefined) {
      const onEvent = (event: NostrEvent): void => this.#onEvent(event, this.link);
      this.#subscription = this.link.subscribe(filters, { onEvent });
    } else this.#subscription.update(filters);
  }

  close(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }
}
