// What the embedded relay does with an event: check, store, deliver. Knows no sockets and no frames.
import type { Event as NostrEvent } from 'nostr-tools';
import { BoundedSet } from '../../common/bounded.js';
import { verifyEvent } from '../../crypto/signer.js';
import { MAX_SEEN_EVENTS } from '../../limits.js';
import { eventBytes, eventBytesAround } from '../../protocol/wire/event-text.js';
import { isEphemeral, isExpired } from '../../protocol/wire/events.js';
import type { RelayBehaviour } from './behaviour.js';
import { Deliveries, type Delivery, type LiveSubscription } from './deliveries.js';
import { EventStore, type StoredEvent } from './event-store.js';
import { FilterIndex } from './filter-index.js';

/** strfry's bounds on created_at and the time it keeps ephemeral events, in seconds. */
const MAX_AGE_EPHEMERAL_S = 60;
const MAX_AHEAD_S = 900;
const EPHEMERAL_LIFETIME_S = 300;

/** An answer in the words of NIP-01's OK. */
export interface Verdict {
  readonly ok: boolean;
  readonly reason: string;
}

/** An event that is taken, and who gets it. */
type Accepted = Omit<Delivery, 'onCommitted'>;

export interface RelayCoreOptions {
  readonly behaviour: RelayBehaviour;
  readonly random: () => number;
  readonly onAccepted: (event: NostrEvent) => void;
}

export class RelayCore {
  readonly behaviour: RelayBehaviour;
  readonly #onAccepted: (event: NostrEvent) => void;
  readonly #store = new EventStore();
  /** Apart from the store, so that a bulk transfer never pushes out what is really kept. */
  readonly #ephemerals = new EventStore();
  readonly #index = new FilterIndex<LiveSubscription>();
  readonly #deliveries: Deliveries;
  readonly #seen = new BoundedSet<string>(MAX_SEEN_EVENTS);
  #events = 0;
  #refused = 0;

  constructor({ behaviour, random, onAccepted }: RelayCoreOptions) {
    this.behaviour = behaviour;
    this.#onAccepted = onAccepted;
    this.#deliveries = new Deliveries(behaviour, random);
  }

  get stats(): { events: number; refused: number; delivered: number; stored: number } {
    const stored = this.#store.size + this.#ephemerals.size;
    const { delivered } = this.#deliveries;
    return { events: this.#events, refused: this.#refused, delivered, stored };
  }

  /**
   * @param content the event's in JSON, where it is long base64
   * @param answer called at once, or for an event that is taken when its write batch is over
   */
  accept(value: unknown, content: Buffer | undefined, answer: (verdict: Verdict) => void): void {
    const judgement = this.#judge(value, content);
    if ('ok' in judgement) {
      if (!judgement.ok) this.#refused++;
      answer(judgement);
      return;
    }
    this.#events++;
    this.#seen.add(judgement.event.id);
    const onCommitted = (): void => {
      answer({ ok: true, reason: '' });
      this.#onAccepted(value as NostrEvent);
    };
    this.#deliveries.push({ ...judgement, onCommitted });
  }

  /** Refuses an event unseen. */
  refuse(reason: string): Verdict {
    this.#refused++;
    return no(reason);
  }

  /** Starts live delivery, and gives what is stored already, newest first. */
  subscribe(subscription: LiveSubscription): StoredEvent[] {
    this.#index.add(subscription);
    const { filters } = subscription;
    const stored = this.#store.query(filters, nowS());
    if (!this.behaviour.replayEphemerals) return stored;
    return [...this.#ephemerals.query(filters, nowS()), ...stored];
  }

  unsubscribe(subscription: LiveSubscription): void {
    this.#index.delete(subscription);
  }

  close(): void {
    this.#deliveries.clear();
  }

  #judge(value: unknown, content: Buffer | undefined): Verdict | Accepted {
    if (!verifyEvent(value, content))
      return no('invalid: not an event with a right id and signature');
    const json = content === undefined ? eventBytes(value) : eventBytesAround(content, value);
    const reason = this.#refusal(value, json.length);
    if (reason !== undefined) return no(reason);
    if (this.#seen.has(value.id)) return { ok: true, reason: 'duplicate: have this event already' };
    const stored = { event: { ...value, content: '' }, json };
    return isEphemeral(value.kind) ? this.#takeEphemeral(stored) : this.#takeLasting(stored);
  }

  #refusal(event: NostrEvent, bytes: number): string | undefined {
    const { refuse, maxEventBytes, tooLargeText, clockAheadS } = this.behaviour;
    const ageS = nowS() + clockAheadS - event.created_at;
    if (bytes > maxEventBytes) {
      return tooLargeText.replace('SIZE', String(maxEventBytes));
    }
    if (ageS < -MAX_AHEAD_S) return 'invalid: created_at too late';
    if (ageS > MAX_AGE_EPHEMERAL_S && isEphemeral(event.kind)) {
      return 'invalid: ephemeral event expired';
    }
    if (isExpired(event, nowS())) return 'invalid: event expired';
    return typeof refuse === 'function' ? refuse(event) : refuse;
  }

  #takeEphemeral(stored: StoredEvent): Verdict | Accepted {
    const { muteUnheard, replayEphemerals } = this.behaviour;
    const audience = this.#index.match(stored.event);
    // Not remembered: the sender may try again when somebody listens.
    if (audience.length === 0 && muteUnheard) return no('mute: no one was listening');
    if (replayEphemerals) this.#ephemerals.add(stored, nowS() + EPHEMERAL_LIFETIME_S);
    return { ...stored, audience };
  }

  #takeLasting(stored: StoredEvent): Verdict | Accepted {
    if (!this.#store.add(stored)) return no('replaced: have newer event');
    return { ...stored, audience: this.#index.match(stored.event) };
  }
}

function no(reason: string): Verdict {
  return { ok: false, reason };
}

function nowS(): number {
  return Math.floor(Date.now() / 1000);
}
