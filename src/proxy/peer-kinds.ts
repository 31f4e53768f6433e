// Whether an exit speaks reliable streams, by what it publishes of itself: asked for in passing, while a stream to
// an exit of which nothing is known is being opened.

import { BoundedMap } from '../common/bounded.js';
import { isExpired, KIND, speaksReliableStreams, streamVersion } from '../protocol/wire/events.js';
import type { EventSource } from './resolve.js';

const QUERY_TIMEOUT_MS = 3_000;
/** An exit isn't asked about more often than this. */
const LOOK_AGAIN_MS = 60_000;
/** Exits that are remembered for that. */
const MAX_LOOKED = 1_024;

export interface PeerKind {
  readonly pubkey: string;
  readonly reliable: boolean;
  /** Of reliable streams, up to which it speaks them. */
  readonly version: number;
}

export class PeerKinds {
  readonly #source: EventSource;
  readonly #onKind: (kind: PeerKind) => void;
  readonly #now: () => number;
  /** When it was last looked for. */
  readonly #looked = new BoundedMap<string, number>(MAX_LOOKED);

  /** @param now milliseconds that only grow */
  constructor(
    source: EventSource,
    onKind: (kind: PeerKind) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#source = source;
    this.#onKind = onKind;
    this.#now = now;
  }

  /** Looks in the background. What isn't found out here, the exit's own answer shows. */
  look(pubkey: string, relays: readonly string[]): void {
    const now = this.#now();
    if (now - (this.#looked.get(pubkey) ?? Number.NEGATIVE_INFINITY) < LOOK_AGAIN_MS) return;
    this.#looked.set(pubkey, now);
    this.#query(pubkey, relays).catch(() => undefined);
  }

  async #query(pubkey: string, relays: readonly string[]): Promise<void> {
    const kinds: number[] = [KIND.announcement, KIND.certificate];
    const filter = { kinds, authors: [pubkey], limit: 2 };
    const events = await this.#source.query(relays, filter, QUERY_TIMEOUT_MS);
    const own = events.filter(({ pubkey: by, kind }) => by === pubkey && kinds.includes(kind));
    const nowS = Math.floor(Date.now() / 1_000);
    // The newest says what it speaks now, an expired one only what it once did.
    const [newest] = own
      .filter((event) => !isExpired(event, nowS))
      .sort((a, b) => b.created_at - a.created_at);
    if (newest === undefined) return;
    const [reliable, version] = [speaksReliableStreams(newest), streamVersion(newest)];
    this.#onKind({ pubkey, reliable, version });
  }
}
