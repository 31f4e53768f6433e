// Events of ours to ourselves over one relay: which came back, in what order, how often, and what the relay said.

import type { Event as NostrEvent } from 'nostr-tools';
import { inTime } from '../../../common/waiting.js';
import type { Signer } from '../../../crypto/signer.js';
import { KIND } from '../../../protocol/wire/events.js';
import type { RelayLink } from '../../../relay/link.js';

/** Some relays say no EOSE where nothing stored is asked for. */
const STANDS_MS = 1_000;

interface Sent {
  readonly at: number;
  arrivedAt?: number;
  /** It has come back, or the relay has refused it. */
  settle(): void;
}

export class Mailbox {
  /** Resolves when the subscription stands, as far as can be known. */
  readonly standing: Promise<unknown>;
  readonly #link: RelayLink;
  readonly #sent = new Map<string, Sent>();
  readonly #arrivals: string[] = [];
  readonly #answers: Promise<void>[] = [];
  confirmed = 0;
  duplicates = 0;
  /** The first refusal, in the relay's words. */
  refusal: string | undefined;

  constructor(link: RelayLink, { pubkey }: Signer) {
    this.#link = link;
    const filters = [{ kinds: [KIND.message], '#p': [pubkey], limit: 0 }];
    const stands = new Promise<void>((resolve) => {
      link.subscribe(filters, {
        onEvent: ({ id }) => this.#onEvent(id),
        onEose: resolve,
        isStanding: true,
      });
    });
    this.standing = inTime(stands, STANDS_MS);
  }

  get published(): number {
    return this.#sent.size;
  }

  get delivered(): number {
    return this.#arrivals.length;
  }

  /** Publishes an event. @returns milliseconds until it was back; undefined where it wasn't in time, or was refused */
  async send(event: NostrEvent, timeoutMs: number): Promise<number | undefined> {
    const settled = new Promise<void>((settle) => {
      this.#sent.set(event.id, { at: performance.now(), settle });
    });
    this.#answers.push(this.#publish(event));
    await inTime(settled, timeoutMs);
    const { at, arrivedAt } = this.#sent.get(event.id)!;
    return arrivedAt === undefined ? undefined : arrivedAt - at;
  }

  /** Whether those of these that arrived did so in the order in which they were published. */
  arrivedInOrder(events: readonly NostrEvent[]): boolean {
    const places = events.map(({ id }) => this.#arrivals.indexOf(id)).filter((place) => place >= 0);
    return places.every((place, index) => index === 0 || place > places[index - 1]!);
  }

  /** Resolves when the relay has said something about every event, or has had its time. */
  async answered(timeoutMs: number): Promise<void> {
    await inTime(Promise.all(this.#answers), timeoutMs);
  }

  #publish(event: NostrEvent): Promise<void> {
    return new Promise((resolve) => {
      this.#link.publish(event, ({ ok, reason, isUnanswered }) => {
        if (ok) this.confirmed += 1;
        else if (isUnanswered !== true) {
          this.refusal ??= reason;
          this.#sent.get(event.id)?.settle();
        }
        resolve();
      });
    });
  }

  #onEvent(id: string): void {
    const sent = this.#sent.get(id);
    if (sent === undefined) return;
    if (sent.arrivedAt !== undefined) {
      this.duplicates += 1;
      return;
    }
    sent.arrivedAt = performance.now();
    this.#arrivals.push(id);
    sent.settle();
  }
}
