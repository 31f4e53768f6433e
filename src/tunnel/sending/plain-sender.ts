// Carries the messages of plain streams: each in an event of its own to every relay of the peer, and the next one
// of a stream when all of them have answered. A relay that missed one is left out of that stream from then on,
// since what it delivers next would be ahead of what the others still hold.

import type { PeerState, PlainParcel } from '../../protocol/peer/peer-state.js';
import type { StreamState } from '../../protocol/stream/stream-state.js';
import { encodeMessage } from '../../protocol/wire/message.js';
import type { PublishResult, RelayLink } from '../../relay/link.js';
import type { Echoes } from './echoes.js';
import type { Route } from './route.js';
import type { SealedEvent, Sealer } from './sealer.js';

/** How much later than the first a relay may answer before the stream goes on without it. */
const GRACE_MS = 500;
/** How long relays may be silent about an event before they count as having it: not all of them confirm any. */
const SILENCE_MS = 1_500;
/** A relay refuses what is older than a minute; until then a repeat is the same event, so that it counts once. */
const REUSED_MS = 30_000;

/** Why one of the relays doesn't have an event. */
export interface Refusal {
  readonly link: RelayLink;
  readonly reason: string;
}

export interface PlainSenderOptions {
  readonly state: PeerState;
  readonly route: Route;
  readonly sealer: Sealer;
  /** Toward peers that handle events side by side. */
  readonly echoes?: Echoes | undefined;
  /** The stream's message is with the relays, or isn't. */
  readonly onDone: (stream: StreamState, refusal: Refusal | undefined) => void;
}

export class PlainSender {
  readonly #options: PlainSenderOptions;
  /** The relays that have had everything so far. */
  readonly #relays = new WeakMap<StreamState, readonly RelayLink[]>();
  readonly #sealed = new WeakMap<object, SealedEvent & { readonly madeAt: number }>();
  #isClosed = false;

  constructor(options: PlainSenderOptions) {
    this.#options = options;
  }

  /** Publishes the next message, if there is one and a relay to take it. Returns whether it did. */
  sendOne(now: number): boolean {
    const { state, route, sealer } = this.#options;
    const usable = route.usable(now).filter((link) => route.isInPace(link, now));
    if (!usable.some((link) => link.canPublish)) return false;
    const limitBytes = Math.min(...usable.map((link) => route.eventLimitBytes(link)));
    const maxBytes = (destination: string): number => sealer.maxPlainBytes(limitBytes, destination);
    const parcel = state.pullPlain(now, maxBytes);
    if (parcel === undefined) return false;
    const known = this.#relays.get(parcel.stream)?.filter((link) => usable.includes(link)) ?? [];
    void this.#publish(parcel, known.length > 0 ? known : usable, now);
    return true;
  }

  async #publish(parcel: PlainParcel, links: readonly RelayLink[], now: number): Promise<void> {
    const { state, onDone } = this.#options;
    const { stream, outgoing } = parcel;
    const delivery = new Delivery(this.#options, this.#seal(parcel, now));
    await Promise.all(links.map((link) => delivery.to(link)));
    if (this.#isClosed) return;
    const { taken } = delivery;
    if (taken.length > 0) this.#relays.set(stream, taken);
    state.plainDone(parcel, taken.length > 0, performance.now());
    const isFirst = outgoing.message.type !== 'PLAIN';
    onDone(stream, isFirst && taken.length === 0 ? delivery.refusal : undefined);
  }

  #seal({ outgoing }: PlainParcel, now: number): SealedEvent {
    const { message, segment } = outgoing;
    const known = this.#sealed.get(segment ?? message);
    if (known !== undefined && now - known.madeAt < REUSED_MS) return known;
    const sealed = { ...this.#options.sealer.seal(encodeMessage(message)), madeAt: now };
    this.#sealed.set(segment ?? message, sealed);
    return sealed;
  }

  /** No stream is left: lets go of what was held for them. */
  rest(): void {
    this.#options.echoes?.close();
  }

  close(): void {
    this.#isClosed = true;
    this.rest();
  }
}

const SILENCE: PublishResult = { ok: false, reason: 'error: no answer', isUnanswered: true };

/** One event on its way to all relays of a stream. */
class Delivery {
  /** The relays that have it. */
  readonly taken: RelayLink[] = [];
  /** Why one of the others doesn't. */
  refusal: Refusal | undefined;
  readonly #options: PlainSenderOptions;
  readonly #sealed: SealedEvent;
  readonly #late: Promise<undefined>;
  readonly #silence: Promise<PublishResult>;
  #startGrace: () => void = () => undefined;

  constructor(options: PlainSenderOptions, sealed: SealedEvent) {
    this.#options = options;
    this.#sealed = sealed;
    this.#late = new Promise((resolve) => {
      this.#startGrace = () => setTimeout(() => resolve(undefined), GRACE_MS).unref();
    });
    this.#silence = new Promise((resolve) => {
      setTimeout(() => resolve(SILENCE), SILENCE_MS).unref();
    });
  }

  /** Resolves when the relay has answered and, where that is asked for, delivered; or takes too long for it. */
  async to(link: RelayLink): Promise<void> {
    const { event, bytes } = this.#sealed;
    const { echoes, route } = this.#options;
    const echo = echoes?.expect(link, event.id);
    route.sent(link, performance.now());
    const answer = new Promise<PublishResult>((resolve) => link.publish(event, resolve));
    const result = await Promise.race([answer, this.#late, this.#silence]);
    if (result?.ok || result?.isUnanswered) {
      if (this.taken.length === 0) this.#startGrace();
      this.taken.push(link);
      if (result.ok) route.accepted(link, bytes, performance.now());
      await echo?.arrived();
      return;
    }
    echo?.cancel();
    if (result === undefined) return;
    this.refusal = { link, reason: result.reason };
    // A link that went down refused nothing.
    const isRefused = !result.reason.startsWith('error:') || link.isUp;
    if (isRefused) route.refused(link, result.reason, bytes, performance.now());
  }
}
