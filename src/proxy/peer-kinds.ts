// Whether an exit speaks reliable streams, by what it publishes of itself: asked for in passing while a stream to an exit
// of which nothing is known is being opened, or before, where the way depends on it.

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

/** What a look has found or will find, and when it was begun. */
interface Look {
  readonly at: number;
  readonly kind: Promise<PeerKind | undefined>;
}

export class PeerKinds {
  readonly #source: EventSource;
  readonly #onKind: (kind: PeerKind) => void;
  readonly #now: () => number;
  readonly #looked = new BoundedMap<string, Look>(MAX_LOOKED);

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

  /**
   * What the exit says of itself; undefined where relays tell nothing of it: then its own answer shows. Whoever asks again
   * gets what was found before, while it is looked for anew.
   */
  look(pubkey: string, relays: readonly string[]): Promise<PeerKind | undefined> {
    const at = this.#now();
    const last = this.#looked.get(pubkey);
    if (last !== undefined && at - last.at < LOOK_AGAIN_MS) return last.kind;
    const kind = this.#query(pubkey, relays).catch(() => undefined);
    this.#looked.set(pubkey, { at, kind });
    return last?.kind ?? kind;
  }

  async #query(pubkey: string, relays: readonly string[]): Promise<PeerKind | undefined> {
    const kinds: number[] = [KIND.announcement, KIND.certificate];
    const filter = { kinds, authors: [pubkey], limit: 2 };
    const events = await this.#source.query(relays, filter, QUERY_TIMEOUT_MS);
    const own = events.filter(({ pubkey: by, kind }) => by === pubkey && kinds.includes(kind));
    const nowS = Math.floor(Date.now() / 1_000);
    // The newest says what it speaks now, an expired one only what it once did.
    const [newest] = own
      .filter((event) => !isExpired(event, nowS))
      .sort((a, b) => b.created_at - a.created_at);
    if (newest === undefined) return undefined;
    const [reliable, version] = [speaksReliableStreams(newest), streamVersion(newest)];
    const kind = { pubkey, reliable, version };
    this.#onKind(kind);
    return kind;
  }
}
