// Finds the pin of an exit: asks relays for its certificate event and holds the answers against the record.
// Reading an event is pin.ts's matter, keeping the newest pin-store.ts's.

import type { Filter, Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { BoundedMap } from '../../common/bounded.js';
import { verifyEvent } from '../../crypto/signer.js';
import { type NwsError, toNwsError } from '../../errors.js';
import { KIND } from '../../protocol/wire/events.js';
import { isNewer, type Pin, readPin } from './pin.js';
import type { PinStore } from './pin-store.js';

export type { Pin, PinnedCertificate } from './pin.js';
export { PinStore } from './pin-store.js';

/** How long relays may take to answer. */
const QUERY_TIMEOUT_MS = 5_000;
/** How long an answer holds: an exit may have been set up anew. */
const FOUND_MS = 300_000;
/** How long "none" holds: an exit may be starting. */
const NONE_MS = 10_000;
/** Answers to remember. */
const MAX_ANSWERS = 1_000;
/** Events of one answer to look at; honest relays hold one. */
const MAX_EVENTS = 16;
/** Events whose signatures are checked for that. */
const MAX_LOOKED_AT = 256;

/** Who can be asked for stored events; a RelayPool is one. */
export interface EventSource {
  query(urls: readonly string[], filter: Filter, timeoutMs: number): Promise<NostrEvent[]>;
}

export interface PinResolverOptions {
  readonly store: PinStore;
  readonly source: EventSource;
  readonly log: Logger;
  /** Told of every pin that is looked up. */
  readonly onPin?: (pin: Pin) => void;
  /** Told of a pin that is new on record, and of the one that it takes the place of. */
  readonly onChange?: (pin: Pin, former: Pin | undefined) => void;
}

interface Answer {
  readonly newest: { readonly pin: Pin; readonly event: NostrEvent } | undefined;
  /** Why an event was not believed. */
  readonly refusal: NwsError | undefined;
}

export class PinResolver {
  readonly #store: PinStore;
  readonly #source: EventSource;
  readonly #log: Logger;
  readonly #onPin: PinResolverOptions['onPin'];
  readonly #onChange: PinResolverOptions['onChange'];
  /** Whether these relays had a pin for an exit, and until when that holds (ms since 1970). */
  readonly #answers = new BoundedMap<string, { found: boolean; until: number }>(MAX_ANSWERS);
  readonly #pending = new Map<string, Promise<Pin | undefined>>();

  constructor(options: PinResolverOptions) {
    this.#store = options.store;
    this.#source = options.source;
    this.#log = options.log;
    this.#onPin = options.onPin;
    this.#onChange = options.onChange;
  }

  /**
   * The pin of an exit; undefined when it publishes none on these relays and none is on record.
   * A pin on record stands when the relays are down or offer nothing newer.
   * @param options.fresh asks the relays even if their last answer still holds, e.g. after a mismatch
   * @throws NwsError `pin_mismatch` when the exit has signed nothing but what can't be used, `bad_config` when
   *   the record can't be used, `relay_unreachable` when no relay answers and nothing is on record.
   */
  async pinFor(
    pubkey: string,
    relays: readonly string[],
    options: { fresh?: boolean } = {},
  ): Promise<Pin | undefined> {
    // The relays count: an answer of relays that a link brought along must not speak for the exit's own.
    const question = [pubkey, ...[...relays].sort()].join(' ');
    const answer = this.#answers.get(question);
    if (!options.fresh && answer !== undefined && answer.until > Date.now()) {
      const pin = this.#store.get(pubkey);
      // A full store may have forgotten it: that is no "none".
      if (pin !== undefined || !answer.found) return pin;
    }
    const pending = this.#pending.get(question);
    if (pending !== undefined) return pending;
    const lookup = this.#lookUp(pubkey, relays)
      .then((pin) => this.#remember(question, pin))
      .finally(() => this.#pending.delete(question));
    this.#pending.set(question, lookup);
    return lookup;
  }

  #remember(question: string, pin: Pin | undefined): Pin | undefined {
    if (pin !== undefined) this.#onPin?.(pin);
    const found = pin !== undefined;
    this.#answers.set(question, { found, until: Date.now() + (found ? FOUND_MS : NONE_MS) });
    return pin;
  }

  async #lookUp(pubkey: string, relays: readonly string[]): Promise<Pin | undefined> {
    let answer: Answer;
    try {
      answer = await this.#ask(pubkey, relays);
    } catch (error) {
      const pin = this.#store.get(pubkey);
      if (pin === undefined) throw error;
      const reason = toNwsError(error).message;
      this.#log.warn({ pubkey, reason }, 'no relay answers: the certificate on record stands');
      return pin;
    }
    const { newest, refusal } = answer;
    if (newest === undefined) {
      const recorded = this.#store.get(pubkey);
      if (recorded === undefined && refusal !== undefined) throw refusal;
      return recorded;
    }
    const former = this.#store.get(pubkey);
    const standing = this.#store.offer(newest.event);
    if (standing.fingerprints.join() !== former?.fingerprints.join()) {
      this.#onChange?.(standing, former);
    }
    if (isNewer(standing, newest.pin)) {
      const offered = newest.pin.createdAt;
      this.#log.warn(
        { pubkey, relays, offered, recorded: standing.createdAt },
        'relays offer an older certificate event than the one on record: not believed',
      );
    }
    return standing;
  }

  /**
   * What the exit's own key has signed, and nothing else: what others say of an exit is no evidence, or any stranger could
   * block one that publishes no certificate.
   */
  async #ask(pubkey: string, relays: readonly string[]): Promise<Answer> {
    const kind = KIND.certificate;
    const filter: Filter = { kinds: [kind], authors: [pubkey], limit: MAX_EVENTS };
    const events = await this.#source.query(relays, filter, QUERY_TIMEOUT_MS);
    const own = events.filter((event) => event.pubkey === pubkey && event.kind === kind);
    // Newest first: a relay that hands out many old events must not crowd out the newest of another.
    own.sort((a, b) => b.created_at - a.created_at);
    return this.#judge(firstOf(own, MAX_EVENTS, verifyEvent), pubkey);
  }

  #judge(events: readonly NostrEvent[], pubkey: string): Answer {
    let newest: Answer['newest'];
    let refusal: NwsError | undefined;
    for (const event of events) {
      try {
        const pin = readPin(event, pubkey, Math.floor(Date.now() / 1000));
        if (newest === undefined || isNewer(pin, newest.pin)) newest = { pin, event };
      } catch (error) {
        refusal = toNwsError(error);
        this.#log.warn({ pubkey, event: event.id }, refusal.message);
      }
    }
    return { newest, refusal };
  }
}

/** Up to `limit` of those that pass, from the front; what doesn't pass takes nobody's place. */
function firstOf<T>(items: readonly T[], limit: number, passes: (item: T) => boolean): T[] {
  const found: T[] = [];
  for (const item of items.slice(0, MAX_LOOKED_AT)) {
    if (found.length >= limit) break;
    if (passes(item)) found.push(item);
  }
  return found;
}
