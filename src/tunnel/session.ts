// All streams of a process: opens links and subscriptions for them, checks and decrypts what arrives, hands
// it to the peer it is from, and lets the peers that have something to say publish in turn.
//
//   proxy ─ open ─┐                                              ┌─ onIncoming ─ exit
//                 Session ─ Peer ─ PeerState ─ RelayLink ═ relay ═ …

import { randomUUID } from 'node:crypto';
import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { createSigner, generateSecretKey, type Signer, verifyEvent } from '../crypto/signer.js';
import { NwsError, toNwsError } from '../errors.js';
import { MAX_SEEN_EVENTS, MAX_SKEW_S, MAX_STREAMS } from '../limits.js';
import { KIND, tagValue } from '../protocol/events.js';
import { decodeMessages } from '../protocol/message.js';
import type { StreamState } from '../protocol/stream-state.js';
import type { RelayLink } from '../relay/link.js';
import type { RelayPool } from '../relay/pool.js';
import { Inbox } from './inbox.js';
import { IncomingRequest, type IncomingStream } from './incoming.js';
import { Peer } from './peer.js';
import { Route } from './route.js';
import { SeenIds } from './seen-ids.js';
import type { TunnelStream } from './stream.js';
import { WindowShare } from './window-share.js';

export type { IncomingStream } from './incoming.js';

/** Peers at once: a stranger with many keys must not fill the memory. */
const MAX_PEERS = 4_096;
/** How long an entry keeps what it knows of an exit that it has no stream to. */
const IDLE_PEER_MS = 300_000;
/** How long to wait for the first of a name's relays. */
const RELAY_TIMEOUT_MS = 8_000;
/** Events published in one go, before the process looks at its sockets again. */
const EVENTS_A_TURN = 8;

export interface SessionOptions {
  readonly pool: RelayPool;
  readonly log: Logger;
  /** The exit's key, or the key that an entry was told to use; else an entry makes one for each exit. */
  readonly signer?: Signer | undefined;
  /** Where an exit listens. */
  readonly relays?: readonly string[] | undefined;
  /** Makes this the exit's side: called for each stream that somebody asks for. */
  readonly onIncoming?: ((incoming: IncomingStream) => void) | undefined;
}

export interface OpenOptions {
  /** The exit's pubkey, hex. */
  readonly peer: string;
  readonly relays: readonly string[];
  /** `host:port` as the exit is to see it. */
  readonly destination: string;
  /** The exit is known to speak reliable streams, so bytes may go out before it answers. */
  readonly reliable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a session left out, by reason. */
export interface Ignored {
  duplicate: number;
  badEvent: number;
  foreign: number;
  undecryptable: number;
  badMessage: number;
  skewed: number;
  overLimit: number;
}

export class Session {
  readonly ignored: Ignored = {
    duplicate: 0,
    badEvent: 0,
    foreign: 0,
    undecryptable: 0,
    badMessage: 0,
    skewed: 0,
    overLimit: 0,
  };
  readonly #options: SessionOptions;
  readonly #role: 'entry' | 'exit';
  readonly #startedAtS = Math.floor(Date.now() / 1_000);
  readonly #seen = new SeenIds(MAX_SEEN_EVENTS);
  readonly #windows = new WindowShare();
  readonly #inboxes = new Map<string, Inbox>();
  /** By our pubkey and the peer's. */
  readonly #peers = new Map<string, Peer>();
  /** Our keys, by pubkey. */
  readonly #signers = new Map<string, Signer>();
  /** An entry's keys, by exit. */
  readonly #entryKeys = new Map<string, Signer>();
  readonly #ready = new Set<Peer>();
  #pumpAt: NodeJS.Immediate | undefined;
  #idleTimers = new Map<Peer, NodeJS.Timeout>();
  #skewWarnedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#role = options.onIncoming === undefined ? 'entry' : 'exit';
  }

  /** Streams that are open, opening or not yet ended on both sides. */
  get streams(): number {
    let count = 0;
    for (const peer of this.#peers.values()) count += peer.state.streams.size;
    return count;
  }

  /**
   * Starts listening as an exit; resolves when the first relay is up.
   * @throws NwsError `relay_unreachable` that names each relay.
   */
  async start(): Promise<void> {
    const { signer, relays = [], pool } = this.#options;
    if (signer === undefined) return;
    this.#signers.set(signer.pubkey, signer);
    for (const url of relays) this.#inbox(url).add(signer.pubkey);
    await pool.whenUp(relays, RELAY_TIMEOUT_MS);
  }

  /**
   * Opens a stream as the entry. Resolves when it is open, or, toward an exit that is known to speak reliable
   * streams, as soon as it can be written to; a failure then comes as the stream's error.
   * @throws NwsError why it can't be opened.
   */
  async open(options: OpenOptions): Promise<TunnelStream> {
    const { relays, destination, reliable, signal } = options;
    if (this.#isClosed) throw shuttingDown();
    if (this.streams >= MAX_STREAMS) {
      throw new NwsError('connection_limit_reached', `more than ${MAX_STREAMS} streams at once`);
    }
    signal?.throwIfAborted();
    const peer = this.#entryPeer(options);
    await this.#options.pool.whenUp(relays, RELAY_TIMEOUT_MS);
    signal?.throwIfAborted();
    if (this.#isClosed) throw shuttingDown();
    peer.state.reliable ??= reliable;
    return await opened(peer, destination, signal);
  }

  #entryPeer({ peer: pubkey, relays }: OpenOptions): Peer {
    const signer = this.#entryKey(pubkey);
    const id = `${signer.pubkey}${pubkey}`;
    const known = this.#peers.get(id);
    const urls = [...new Set(relays)];
    if (known !== undefined && sameRelays(known.route.links, urls)) {
      clearTimeout(this.#idleTimers.get(known));
      return known;
    }
    // Another name of the same exit lists other relays: the newer one counts, unless streams hold the old.
    if (known !== undefined && known.state.streams.size > 0) return known;
    if (known !== undefined) this.#drop(id, known);
    this.#signers.set(signer.pubkey, signer);
    const links = urls.map((url) => {
      const inbox = this.#inbox(url);
      inbox.add(signer.pubkey);
      return inbox.link;
    });
    return this.#addPeer(id, signer, pubkey, new Route(links));
  }

  /** One fresh key an exit and process, so that two exits can't tell that it is the same entry. */
  #entryKey(exit: string): Signer {
    if (this.#options.signer !== undefined) return this.#options.signer;
    let signer = this.#entryKeys.get(exit);
    if (signer === undefined) {
      signer = createSigner(generateSecretKey());
      this.#entryKeys.set(exit, signer);
    }
    return signer;
  }

  #inbox(url: string): Inbox {
    const known = this.#inboxes.get(url);
    if (known !== undefined) return known;
    const link = this.#options.pool.acquire(url);
    const inbox = new Inbox(link, (event, from) => this.#onEvent(event, from));
    link.on('up', this.#onLinkUp);
    link.on('down', this.#onLinkDown);
    link.on('drain', this.#onLinkUp);
    this.#inboxes.set(url, inbox);
    return inbox;
  }

  readonly #onLinkUp = (): void => {
    for (const peer of this.#peers.values()) this.#schedule(peer);
  };

  readonly #onLinkDown = (): void => {
    for (const peer of this.#peers.values()) peer.relink();
  };

  #addPeer(id: string, signer: Signer, pubkey: string, route: Route): Peer {
    const peer = new Peer({
      role: this.#role,
      signer,
      pubkey,
      route,
      windows: this.#windows,
      newKey: randomUUID,
      log: this.#options.log,
      onReady: (ready) => this.#schedule(ready),
      onIncoming: (from, stream) => this.#onIncoming(from, stream),
      onIdle: (idle) => this.#onIdle(id, idle),
    });
    this.#peers.set(id, peer);
    return peer;
  }

  #onIncoming(peer: Peer, stream: StreamState): void {
    if (this.#isClosed || this.streams > MAX_STREAMS) {
      const code = this.#isClosed ? 'shutting_down' : 'connection_limit_reached';
      stream.reset(new NwsError(code, 'this exit takes no more streams now'), performance.now());
      return;
    }
    this.#options.onIncoming?.(new IncomingRequest(peer, stream));
  }

  #onIdle(id: string, peer: Peer): void {
    if (this.#isClosed || this.#idleTimers.has(peer)) return;
    const drop = (): void => {
      this.#idleTimers.delete(peer);
      if (peer.state.isIdle) this.#drop(id, peer);
    };
    const timer = setTimeout(drop, this.#role === 'exit' ? 0 : IDLE_PEER_MS).unref();
    this.#idleTimers.set(peer, timer);
  }

  #drop(id: string, peer: Peer): void {
    peer.close();
    this.#peers.delete(id);
    this.#ready.delete(peer);
    if (this.#role === 'exit') return;
    for (const link of peer.route.links) this.#leave(link, peer.signer.pubkey);
    if (peer.signer !== this.#options.signer) this.#signers.delete(peer.signer.pubkey);
  }

  #leave(link: RelayLink, pubkey: string): void {
    for (const [url, inbox] of this.#inboxes) {
      if (inbox.link !== link) continue;
      inbox.remove(pubkey);
      if (!inbox.isEmpty) return;
      this.#inboxes.delete(url);
      this.#releaseLink(url, link);
      return;
    }
  }

  #releaseLink(url: string, link: RelayLink): void {
    link.off('up', this.#onLinkUp);
    link.off('down', this.#onLinkDown);
    link.off('drain', this.#onLinkUp);
    this.#options.pool.release(url);
  }

  #onEvent(event: NostrEvent, link: RelayLink): void {
    if (this.#isClosed) return;
    try {
      this.#takeEvent(event, link);
    } catch (error) {
      this.#options.log.error(
        { code: toNwsError(error).code, err: error },
        'event handling failed',
      );
    }
  }

  #takeEvent(event: NostrEvent, link: RelayLink): void {
    const reason = this.#handle(event, link);
    if (reason !== undefined) this.ignored[reason] += 1;
  }

  /** Hands the event to its peer, or says why it is ignored. */
  #handle(event: NostrEvent, link: RelayLink): keyof Ignored | undefined {
    // A forged copy must not make us take the true event for a repeat, so an id counts only when verified.
    if (this.#seen.has(event.id)) return 'duplicate';
    if (event.kind !== KIND.message || !verifyEvent(event)) return 'badEvent';
    this.#seen.add(event.id);
    const signer = this.#signers.get(tagValue(event, 'p') ?? '');
    if (signer === undefined || event.pubkey === signer.pubkey) return 'foreign';
    const content = readContent(signer, event);
    if (content === undefined) return 'undecryptable';
    const skewS = event.created_at - Math.floor(Date.now() / 1_000);
    if (Math.abs(skewS) > MAX_SKEW_S) {
      this.#warnOfSkew(event.pubkey, skewS);
      return 'skewed';
    }
    const { messages, invalid } = readMessages(content.plaintext);
    if (invalid > 0) this.ignored.badMessage += invalid;
    if (messages.length === 0) return undefined;
    const peer = this.#peerOf(signer, event.pubkey);
    if (peer === undefined) return 'overLimit';
    // What was written before this process started may have been served by the one before it.
    const isFresh = this.#role === 'exit' && event.created_at >= this.#startedAtS;
    peer.receive(messages, content.scheme, isFresh, link);
    return undefined;
  }

  #peerOf(signer: Signer, pubkey: string): Peer | undefined {
    const id = `${signer.pubkey}${pubkey}`;
    const known = this.#peers.get(id);
    if (known !== undefined || this.#role === 'entry') return known;
    if (this.#peers.size >= MAX_PEERS) return undefined;
    const links = [...this.#inboxes.values()].map((inbox) => inbox.link);
    return this.#addPeer(id, signer, pubkey, new Route(links));
  }

  #warnOfSkew(peer: string, skewS: number): void {
    if (performance.now() - this.#skewWarnedAt < 60_000) return;
    this.#skewWarnedAt = performance.now();
    const how = skewS > 0 ? 'ahead of' : 'behind';
    const text = `an event is ${Math.abs(skewS)} s ${how} our clock: ignored`;
    this.#options.log.warn({ peer, skewS, hint: 'check the clocks of both machines' }, text);
  }

  #schedule(peer: Peer): void {
    if (this.#isClosed) return;
    this.#ready.add(peer);
    this.#pumpAt ??= setImmediate(() => this.#pump());
  }

  /** One event a peer in turn, so that a busy peer never starves the others. */
  #pump(): void {
    this.#pumpAt = undefined;
    for (let turn = 0; turn < EVENTS_A_TURN && this.#ready.size > 0; turn += 1) {
      const [peer] = this.#ready;
      this.#ready.delete(peer!);
      if (peer!.sendOne()) this.#ready.add(peer!);
      else peer!.update();
    }
    if (this.#ready.size > 0) this.#pumpAt ??= setImmediate(() => this.#pump());
  }

  /** Takes no new streams, lets the open ones end for `graceMs`, then resets them. */
  async close(graceMs = 0): Promise<void> {
    if (this.#isClosed) return;
    const deadline = performance.now() + graceMs;
    while (this.streams > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#isClosed = true;
    clearImmediate(this.#pumpAt);
    for (const timer of this.#idleTimers.values()) clearTimeout(timer);
    for (const peer of this.#peers.values()) {
      peer.reset(shuttingDown());
      peer.close();
    }
    this.#peers.clear();
    for (const [url, inbox] of this.#inboxes) {
      inbox.close();
      this.#releaseLink(url, inbox.link);
    }
    this.#inboxes.clear();
  }
}

function shuttingDown(): NwsError {
  return new NwsError('shutting_down', 'this side is shutting down');
}

function sameRelays(links: readonly RelayLink[], urls: readonly string[]): boolean {
  return links.length === urls.length && links.every((link) => urls.includes(link.url));
}

function readContent(signer: Signer, event: NostrEvent) {
  try {
    return signer.decrypt(event.pubkey, event.content);
  } catch {
    return undefined;
  }
}

function readMessages(json: string): ReturnType<typeof decodeMessages> {
  try {
    return decodeMessages(json);
  } catch {
    return { messages: [], invalid: 1 };
  }
}

/** Waits until a new stream may be written to. */
function opened(peer: Peer, destination: string, signal?: AbortSignal): Promise<TunnelStream> {
  return new Promise((resolve, reject) => {
    const done = (): void => signal?.removeEventListener('abort', aborted);
    const check = (): void => {
      if (stream.phase === 'opening') return;
      done();
      if (stream.error !== undefined) reject(stream.error);
      else resolve(peer.attach(stream));
    };
    const aborted = (): void => {
      stream.reset(new NwsError('connection_terminated', 'the client left'), performance.now());
      peer.update();
      done();
      reject(signal!.reason);
    };
    const stream = peer.open(destination, check);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
