// Keeps what the exit publishes about itself on its relays: its certificate (38334) and its relay list (10002),
// on each relay, again whenever it comes back, and now and then, for relays that lost or refused it for a while.

import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { KIND } from '../../protocol/wire/events.js';
import type { PublishResult, RelayLink } from '../../relay/link.js';
import { Outcomes } from './outcomes.js';

/** Sent again after this time. Relays answer "duplicate", which costs nothing. */
const REFRESH_MS = 3_600_000;

export class Announcer {
  readonly #events: readonly NostrEvent[];
  readonly #links: readonly RelayLink[];
  readonly #outcomes: Outcomes;
  readonly #timer: NodeJS.Timeout;
  readonly #publishers: ReadonlyMap<RelayLink, () => void>;
  #onAccepted: (() => void) | undefined;
  /** Resolves when the first relay has taken the first event. */
  readonly accepted: Promise<void>;

  /** Publishes at once where a relay is up. `links` stay the caller's to release. */
  constructor(events: readonly NostrEvent[], links: readonly RelayLink[], log: Logger) {
    this.#events = events;
    this.#links = links;
    this.#outcomes = new Outcomes(log);
    this.accepted = new Promise((resolve) => {
      this.#onAccepted = resolve;
    });
    this.#publishers = new Map(links.map((link) => [link, () => this.#publish(link)]));
    for (const [link, publish] of this.#publishers) link.on('up', publish);
    this.#timer = setInterval(() => this.#publishAll(), REFRESH_MS);
    this.#publishAll();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const [link, publish] of this.#publishers) link.off('up', publish);
  }

  #publishAll(): void {
    for (const link of this.#links) if (link.isUp) this.#publish(link);
  }

  #publish(link: RelayLink): void {
    for (const event of this.#events) {
      link.publish(event, (result) => this.#report(event, link.url, result));
    }
  }

  #report(event: NostrEvent, relay: string, result: PublishResult): void {
    if (result.ok && event === this.#events[0]) this.#onAccepted?.();
    const what = event.kind === KIND.certificate ? 'certificate' : 'relay list';
    this.#outcomes.report(what, relay, result);
  }
}
