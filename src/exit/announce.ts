// Keeps the exit's certificate event (38334) on its relays: published on each one, again whenever the
// relay comes back, and now and then, for relays that lost it or refused it for a while.

import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import type { PublishResult, RelayLink } from '../relay/link.js';

/** Sent again after this time. Relays answer "duplicate", which costs nothing. */
const REFRESH_MS = 3_600_000;

export class Announcer {
  readonly #event: NostrEvent;
  readonly #links: readonly RelayLink[];
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  /** What was last logged, by relay: a line for a change, not for every repetition. */
  readonly #outcomes = new Map<string, string>();
  readonly #publishers: ReadonlyMap<RelayLink, () => void>;
  #onAccepted: (() => void) | undefined;
  /** Resolves when the first relay has taken the event. */
  readonly accepted: Promise<void>;

  /** Publishes at once where a relay is up. `links` stay the caller's to release. */
  constructor(event: NostrEvent, links: readonly RelayLink[], log: Logger) {
    this.#event = event;
    this.#links = links;
    this.#log = log;
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
    link.publish(this.#event, (result) => this.#report(link.url, result));
  }

  #report(relay: string, { ok, reason }: PublishResult): void {
    if (ok) this.#onAccepted?.();
    // The link went down: it is published again when it comes back.
    if (!ok && reason.startsWith('error:')) return;
    const outcome = ok ? 'accepted' : `refused: ${reason}`;
    if (this.#outcomes.get(relay) === outcome) return;
    this.#outcomes.set(relay, outcome);
    if (ok) this.#log.info({ relay }, 'certificate published');
    else
      this.#log.warn(
        { relay, reason },
        'relay refuses the certificate; clients cannot find it there',
      );
  }
}
