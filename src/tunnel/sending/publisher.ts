// Publishes what one peer's state machine has to say, one event at a time: on the relay that the route picks, and bulk
// data on whichever else has room. Takes note of what relays answer, and moves to another where nothing comes back.
//
//   PeerState.pull ─ encrypt, sign (sealer) ─ Route ─ RelayLink.publish

import type { Logger } from 'pino';
import type { Parcel, PeerState } from '../../protocol/peer/peer-state.js';
import type { RelayPath } from '../../protocol/relay-path/relay-path.js';
import type { StreamState } from '../../protocol/stream/stream-state.js';
import type { Encoding } from '../../protocol/wire/encoding.js';
import { encodeMessage } from '../../protocol/wire/message.js';
import { MAX_NIP44_PLAINTEXT_BYTES } from '../../protocol/wire/payload.js';
import type { PublishResult, RelayLink } from '../../relay/link.js';
import { deafnessOf, isLasting, refusalOf } from '../opening/refusal.js';
import type { PlainSender } from './plain-sender.js';
import type { Route } from './route.js';
import type { Sealer } from './sealer.js';

/** Without any answer for this long, or for three round trips, another relay is tried. */
const SILENT_RELAY_MS = 1_500;

/** Where a plaintext is until it is encrypted: memory by the megabyte a second keeps the collector busy. */
const SCRATCH = Buffer.allocUnsafeSlow(MAX_NIP44_PLAINTEXT_BYTES);

export interface PublisherOptions {
  readonly state: PeerState;
  readonly route: Route;
  readonly sealer: Sealer;
  /** For what goes to a peer of NIP-443 alone. */
  readonly plain: PlainSender;
  readonly log: Logger;
  /** Something became of a stream. */
  readonly onChanged: (stream: StreamState) => void;
  /** A relay refused an event: there may be something to send again. */
  readonly onLost: () => void;
  /** The time; performance.now() by default. */
  readonly clock?: () => number;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #clock: () => number;
  readonly #paths = new Map<RelayLink, RelayPath>();
  /** Since when nothing came back over the current relay, though something should. */
  #silentSince: number | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  #pathOf(link: RelayLink): RelayPath {
    let path = this.#paths.get(link);
    if (path === undefined) {
      path = this.#options.state.paths.add();
      this.#paths.set(link, path);
    }
    return path;
  }

  /** Publishes one event, if there is something to say and a relay to say it to. Returns whether it did. */
  sendOne(now: number): boolean {
    const { state, route, plain } = this.#options;
    const links = route.choices(now);
    const open = links.filter((link) => route.hasRoom(link, now));
    const { encoding } = state.version;
    // Where the first has no room, another carries what is small, if the peer is known to listen there.
    const main = open.find((link) => link === links[0] || this.#pathOf(link).isProven);
    if (main !== undefined) {
      const path = this.#pathOf(main);
      const parcels = state.pull(now, this.#capacity(main), { path, encoding });
      if (parcels.length > 0) return this.#publish(main, parcels, encoding, now);
    }
    for (const link of open) {
      const path = this.#pathOf(link);
      if (link === main || !path.isQuickBeside(this.#pathOf(links[0]!))) continue;
      const parcels = state.pull(now, this.#capacity(link), { path, encoding, isBeside: true });
      if (parcels.length > 0) return this.#publish(link, parcels, encoding, now);
    }
    return main !== undefined && plain.sendOne(now);
  }

  #capacity(link: RelayLink): number {
    const { route, sealer } = this.#options;
    return sealer.capacity(route.eventLimitBytes(link));
  }

  #publish(link: RelayLink, parcels: readonly Parcel[], encoding: Encoding, now: number): true {
    const { state, route, sealer, onChanged } = this.#options;
    const goesAlone = parcels[0]!.stream?.phase === 'opening' && state.kind !== 'reliable';
    const messages = parcels.map(({ message }) => message);
    // One who knows NIP-443 alone understands what is no array, and must understand nothing else.
    const plaintext = goesAlone ? encodeMessage(messages[0]!) : encoding.encode(messages, SCRATCH);
    const { event, frame, bytes } = sealer.seal(plaintext);
    route.sent(link, now);
    const published = { link, parcels, bytes, sentAt: now };
    const onResult = (result: PublishResult): void => {
      if (result.ok) sealer.recycle(frame);
      this.#published(result, published);
    };
    link.publish(event, onResult, frame);
    // What the peer acknowledges was delivered, whatever the relay says or doesn't. The id alone is kept until then: the
    // content is 55 KB on the heap, and by the megabyte that keeps the collector busy.
    const { id } = event;
    const onArrived = (): void => {
      link.delivered(id);
      route.arrived(link, bytes);
    };
    for (const { outgoing } of parcels) {
      if (outgoing?.segment !== undefined) outgoing.segment.onArrived = onArrived;
    }
    // One of NIP-443 alone may listen on any of them; to the others the same event counts once.
    const others = goesAlone ? route.usable(now).filter((other) => other !== link) : [];
    for (const other of others) other.publish(event);
    for (const { stream } of parcels) if (stream !== undefined) onChanged(stream);
    return true;
  }

  #published({ ok, reason, isUnanswered }: PublishResult, published: Published): void {
    const { state, route, log, onLost } = this.#options;
    const { link, parcels, bytes, sentAt } = published;
    const now = this.#clock();
    const { deafness, url } = link;
    if (ok) route.accepted(link, bytes, now);
    else if (isUnanswered || !link.isUp) route.lost(link, bytes);
    // Silence is no refusal: what doesn't arrive is repeated in its time.
    if (ok || isUnanswered) {
      state.obstacle = deafness === undefined ? undefined : deafnessOf(deafness, url);
      return;
    }
    log.debug({ relay: url, reason }, 'relay did not take an event');
    // A link that went down refused nothing.
    const isRefused = !reason.startsWith('error:') || link.isUp;
    if (isRefused) route.refused(link, reason, bytes, now, sentAt);
    state.lost(parcels, now);
    for (const { stream } of parcels) {
      if (isRefused && stream !== undefined) this.refuseOpening(stream, reason, link);
    }
    onLost();
  }

  /** A relay doesn't take our CONNECT. Where no other does, the entry need not wait for a time-out to say so. */
  refuseOpening(stream: StreamState, reason: string, link: RelayLink): void {
    const { state, route, onChanged } = this.#options;
    if (stream.phase !== 'opening') return;
    const error = refusalOf(reason, link.url);
    state.obstacle = error;
    if (!isLasting(reason) || route.pick(this.#clock()) !== undefined) return;
    stream.abandon(error);
    onChanged(stream);
  }

  /** Something came from the peer over this link. */
  heard(link: RelayLink): void {
    this.#silentSince = undefined;
    this.#pathOf(link).heard();
  }

  /** A relay may take everything and deliver nothing: without answers, the next one is tried. */
  checkRelay(now: number): void {
    const { state, route } = this.#options;
    if (!state.awaitsPeer) {
      this.#silentSince = undefined;
      return;
    }
    this.#silentSince ??= now;
    const patienceMs = Math.max(SILENT_RELAY_MS, 3 * (state.roundTrip.smoothedMs ?? 0));
    const path = route.current && this.#pathOf(route.current);
    if (now - this.#silentSince >= patienceMs) {
      this.#silentSince = now;
      if (route.tryNext(now)) this.#relink(now);
    } else if (path?.isFailing && route.tryNext(now)) this.#relink(now, path);
  }

  /** What was under way on this link goes out again over another one, or when it is back. */
  linkDown(link: RelayLink, now: number): void {
    const path = this.#pathOf(link);
    if (link === this.#options.route.current || path.inFlightBytes > 0) this.#relink(now, path);
    path.forget();
  }

  /** @param path where what is in flight is lost; all of them by default */
  #relink(now: number, path?: RelayPath): void {
    const { state } = this.#options;
    state.relink(now, path);
    for (const each of path === undefined ? this.#paths.values() : [path]) each.forget();
  }
}

/** An event that was published. */
interface Published {
  readonly link: RelayLink;
  readonly parcels: readonly Parcel[];
  /** Size of its JSON. */
  readonly bytes: number;
  readonly sentAt: number;
}
