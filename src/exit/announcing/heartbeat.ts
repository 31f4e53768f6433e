// A public exit's sign of life (38333): published again and again, since each one expires when the next is due.
// The rest of what an exit says about itself is announce.ts's.

import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import type { Signer } from '../../crypto/signer.js';
import { announcementEvent, isExpired } from '../../protocol/wire/events.js';
import type { RelayLink } from '../../relay/link.js';
import { Outcomes } from './outcomes.js';

/** The rhythm of the Go program, whose entries look back this far. */
const DEFAULT_INTERVAL_S = 10;

export interface HeartbeatOptions {
  readonly signer: Signer;
  /** Where to publish; they stay the caller's to release. */
  readonly links: readonly RelayLink[];
  readonly log: Logger;
  /** From one announcement to the next, and from each one to its expiration, in whole seconds; default 10. */
  readonly intervalS?: number | undefined;
  /** Whether the exit takes part in looking for direct paths. */
  readonly direct?: boolean | undefined;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #intervalS: number;
  readonly #outcomes: Outcomes;
  readonly #timer: NodeJS.Timeout;
  readonly #publishers: ReadonlyMap<RelayLink, () => void>;
  #latest: NostrEvent | undefined;

  /** Announces at once where a relay is up, and elsewhere when it comes up. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#intervalS = options.intervalS ?? DEFAULT_INTERVAL_S;
    this.#outcomes = new Outcomes(options.log);
    this.#publishers = new Map(options.links.map((link) => [link, () => this.#onUp(link)]));
    for (const [link, onUp] of this.#publishers) link.on('up', onUp);
    this.#timer = setInterval(() => this.#beat(), this.#intervalS * 1_000);
    this.#beat();
  }

  /** Takes nothing back: the latest announcement expires by itself. */
  close(): void {
    clearInterval(this.#timer);
    for (const [link, onUp] of this.#publishers) link.off('up', onUp);
  }

  #beat(): void {
    const up = this.#options.links.filter((link) => link.isUp);
    if (up.length === 0) return;
    const event = this.#sign();
    for (const link of up) this.#publish(event, link);
  }

  /** A relay that comes and goes gets what the others have: it mustn't make us sign ever more. */
  #onUp(link: RelayLink): void {
    const latest = this.#latest;
    if (latest === undefined || isExpired(latest, nowS())) this.#beat();
    else this.#publish(latest, link);
  }

  #sign(): NostrEvent {
    // The end of this second: rounded down, each one would expire before the next is there. And later than the
    // one before it, also where the clock was set back: relays keep the newer one.
    const createdAt = Math.max(nowS() + 1, (this.#latest?.created_at ?? 0) + 1);
    this.#latest = this.#options.signer.sign(
      announcementEvent(createdAt, createdAt + this.#intervalS, this.#options.direct),
    );
    return this.#latest;
  }

  #publish(event: NostrEvent, link: RelayLink): void {
    link.publish(event, (result) => this.#outcomes.report('announcement', link.url, result));
  }
}

function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}
