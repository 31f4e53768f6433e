// The links that this process listens on, one subscription each for all keys of ours, and who holds them.

import type { RelayLink } from '../../relay/link.js';
import type { RelayPool } from '../../relay/pool.js';
import { Inbox, type OnEvent } from './inbox.js';

export interface InboxesOptions {
  readonly pool: RelayPool;
  readonly onEvent: OnEvent;
  /** A link came up, or has room for more. */
  readonly onRoom: () => void;
  /** A link went down, or the relay serves our subscription no more. */
  readonly onDown: (link: RelayLink) => void;
}

interface Held {
  readonly url: string;
  readonly inbox: Inbox;
  readonly onHearing: () => void;
  readonly onDown: () => void;
}

export class Inboxes {
  readonly #options: InboxesOptions;
  readonly #held = new Map<RelayLink, Held>();

  constructor(options: InboxesOptions) {
    this.#options = options;
  }

  get links(): RelayLink[] {
    return [...this.#held.keys()];
  }

  /** Keys of ours that listen on the relay with this canonical URL. */
  receiversOn(url: string): string[] {
    const link = this.links.find((each) => each.url === url);
    return (link && this.#held.get(link)?.inbox.receivers) ?? [];
  }

  /** Listens on this relay for messages to `receiver`, and for the start of `exit`, until `remove`. */
  add(url: string, receiver: string, exit?: string): RelayLink {
    const { pool, onEvent, onRoom, onDown } = this.#options;
    const link = pool.acquire(url);
    let held = this.#held.get(link);
    if (held === undefined) {
      const onLinkDown = (): void => onDown(link);
      const onHearing = (): void => (link.deafness === undefined ? onRoom() : onLinkDown());
      held = { url, inbox: new Inbox(link, onEvent), onHearing, onDown: onLinkDown };
      this.#held.set(link, held);
      link.on('up', onRoom);
      link.on('drain', onRoom);
      link.on('down', held.onDown);
      link.on('hearing', held.onHearing);
    } else pool.release(url);
    held.inbox.add(receiver, exit);
    return link;
  }

  remove(link: RelayLink, receiver: string, exit?: string): void {
    const held = this.#held.get(link);
    if (held === undefined) return;
    held.inbox.remove(receiver, exit);
    if (held.inbox.isEmpty) this.#release(link, held);
  }

  close(): void {
    for (const [link, held] of this.#held) this.#release(link, held);
  }

  #release(link: RelayLink, { url, inbox, onHearing, onDown }: Held): void {
    const { pool, onRoom } = this.#options;
    inbox.close();
    link.off('up', onRoom);
    link.off('drain', onRoom);
    link.off('down', onDown);
    link.off('hearing', onHearing);
    this.#held.delete(link);
    pool.release(url);
  }
}
