// All streams of a process: opens links and subscriptions for them, checks and decrypts what arrives, hands
// it to the peer it is from, and lets the peers that have something to say publish in turn.
//
//   proxy ─ open ─┐                                              ┌─ onIncoming ─ exit
//                 Session ─ Peer ─ PeerState ─ RelayLink ═ relay ═ …

import { randomUUID } from 'node:crypto';
import type { Event as NostrEvent } from 'nostr-tools';
import { nextSecond } from '../common/waiting.js';
import type { Signer } from '../crypto/signer.js';
import { NwsError } from '../errors.js';
import { MAX_SEEN_EVENTS, MAX_STREAMS } from '../limits.js';
import { normalizeRelayUrl } from '../protocol/names/address.js';
import { KIND, streamVersion } from '../protocol/wire/events.js';
import type { Path } from '../protocol/wire/message.js';
import type { RelayLink } from '../relay/link.js';
import { SessionMemory } from './memory/session-memory.js';
import { WindowShare } from './memory/window-share.js';
import { EntryKeys } from './opening/entry-keys.js';
import { IncomingRequest, type IncomingStream } from './opening/incoming.js';
import { openByRelay } from './opening/opening.js';
import { ping } from './opening/ping.js';
import { Peer } from './peer.js';
import { PeerTable } from './peer-table.js';
import { type OnEvent, START_KINDS } from './receiving/inbox.js';
import { Inboxes } from './receiving/inboxes.js';
import { type Ignored, type Received, Reception } from './receiving/reception.js';
import { Strangers } from './receiving/strangers.js';
import { ReverseOpener } from './reverse/opening.js';
import { Pump } from './sending/pump.js';
import { RelayHealth } from './sending/relay-health.js';
import { Route, sameRelays } from './sending/route.js';
import type { Opened, OpenOptions, SessionOptions } from './session-options.js';

export type { IncomingStream } from './opening/incoming.js';
export type { Opened, OpenOptions, SessionOptions } from './session-options.js';

/** How long an entry keeps what it knows of an exit that it has no stream to. */
const IDLE_PEER_MS = 300_000;
/** How long to wait for the first of a name's relays. */
const RELAY_TIMEOUT_MS = 5_000;

export class Session {
  readonly #options: SessionOptions;
  readonly #role: 'entry' | 'exit';
  readonly #maxStreams: number;
  /** The first second, in unix time, in which nothing was served by a process before this one. */
  readonly #startedAtS = Math.floor(Date.now() / 1_000) + 1;
  readonly #windows = new WindowShare();
  readonly #memory = new SessionMemory();
  readonly #health: RelayHealth;
  readonly #inboxes: Inboxes;
  readonly #reception: Reception;
  readonly #peers: PeerTable;
  readonly #keys: EntryKeys;
  readonly #reverse: ReverseOpener | undefined;
  readonly #direct: SessionOptions['directEntry' | 'directExit'];
  readonly #strangers: Strangers;
  readonly #pump = new Pump<Peer>();
  #isClosing = false;
  #isClosed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#role = options.onIncoming === undefined ? 'entry' : 'exit';
    this.#maxStreams = options.maxStreams ?? MAX_STREAMS;
    this.#keys = new EntryKeys(options.signer);
    this.#strangers = new Strangers(options.log);
    this.#direct = options.directEntry ?? options.directExit;
    this.#direct?.attach(this.#say, () => options.pool.kick(), this.#admit);
    this.#reverse = options.reverse && new ReverseOpener(options.reverse, options.log);
    this.#reception = new Reception(options.log, MAX_SEEN_EVENTS, options.version);
    this.#health = new RelayHealth(options.log);
    this.#peers = new PeerTable({
      idleMs: this.#role === 'exit' ? 0 : IDLE_PEER_MS,
      onDrop: (peer) => this.#onDrop(peer),
    });
    this.#inboxes = new Inboxes({
      pool: options.pool,
      onEvent: (...arrived) => this.#onEvent(...arrived),
      onRoom: () => {
        for (const peer of this.#peers) this.#schedule(peer);
      },
      onDown: (link) => {
        for (const peer of this.#peers) peer.linkDown(link);
      },
    });
  }

  /** Events that were left out, by reason. */
  get ignored(): Readonly<Ignored> {
    return this.#reception.ignored;
  }

  /** Streams that are open, opening or not yet ended on both sides. */
  get streams(): number {
    return this.#peers.streams + (this.#reverse?.streams ?? 0) + (this.#direct?.streams ?? 0);
  }

  /** The other sides that are known now. */
  get peers(): Iterable<Pick<Peer, 'pubkey' | 'state' | 'route'>> {
    return this.#peers;
  }

  /** The end of the rest of a relay that refuses our events, on performance.now(), if it rests. */
  restsUntil(link: RelayLink): number | undefined {
    return this.#health.rests.until(link, performance.now());
  }

  /**
   * The keys to authenticate to a relay with (NIP-42): those that listen there, since a relay may deliver to
   * authenticated receivers alone; where none does, the one given, or the one for an entry's first exit.
   */
  relaySigners(url: string): Signer[] {
    const listening = this.#inboxes.receiversOn(url).flatMap((key) => {
      return this.#reception.signers.get(key) ?? [];
    });
    return listening.length > 0 ? listening : [this.#keys.shown];
  }

  /**
   * Starts listening as an exit; resolves when the first relay is up.
   * @throws NwsError `relay_unreachable` that names each relay.
   */
  async start(): Promise<void> {
    const { signer, relays = [], pool } = this.#options;
    if (signer === undefined) return;
    this.#reception.signers.set(signer.pubkey, signer);
    for (const url of relays) this.#inboxes.add(url, signer.pubkey);
    // Events made before now are refused, and they tell time in seconds: once this one is over, nobody waits.
    await Promise.all([pool.whenUp(relays, RELAY_TIMEOUT_MS), nextSecond()]);
  }

  /**
   * Opens a stream as the entry. Resolves when it is open, or with `early` maybe before.
   * @throws NwsError why it can't be opened.
   */
  async open(options: OpenOptions): Promise<Opened> {
    const { relays, destination, reliable, version, signal } = options;
    if (this.#isClosing) throw shuttingDown();
    if (this.streams >= this.#maxStreams) {
      const text = `more than ${this.#maxStreams} streams at once`;
      throw new NwsError('connection_limit_reached', text);
    }
    signal?.throwIfAborted();
    const direct = await this.#options.directEntry?.open(options.peer, options);
    if (direct !== undefined) return { ...direct, way: 'direct' };
    const peer = this.#entryPeer(options);
    await this.#options.pool.whenUp(relays, RELAY_TIMEOUT_MS);
    signal?.throwIfAborted();
    if (this.#isClosing) throw shuttingDown();
    if (reliable !== undefined) peer.state.suggest(reliable, performance.now(), version);
    const reverse = await this.#reverse?.open(peer, destination, signal);
    if (reverse !== undefined) return { ...reverse, way: 'reverse' };
    const stream = await openByRelay(peer, options);
    return { stream, key: stream.key, way: 'relay' };
  }

  readonly #say = (pubkey: string, message: Path): void => {
    const signer = this.#role === 'exit' ? this.#options.signer! : this.#keys.of(pubkey);
    this.#peerOf(signer, pubkey)?.say(message);
  };

  /** The peer that talks to our key, who may be new to an exit. */
  #peerOf(signer: Signer, pubkey: string): Peer | undefined {
    const known = this.#peers.get(signer.pubkey, pubkey);
    if (known !== undefined || this.#role === 'entry' || !this.#peers.makeRoom()) return known;
    return this.#addPeer(signer, pubkey, new Route(this.#inboxes.links, this.#health));
  }

  /**
   * Asks an exit that speaks reliable streams whether it is there. Resolves with the time that it took, in ms, or
   * undefined where it didn't answer in time.
   * @throws NwsError `relay_unreachable`
   */
  async ping(exit: Pick<OpenOptions, 'peer' | 'relays'>): Promise<number | undefined> {
    const peer = this.#entryPeer(exit);
    await this.#options.pool.whenUp(exit.relays, RELAY_TIMEOUT_MS);
    return ping(peer);
  }

  /** An exit has published whether it speaks reliable streams, which those who wait for its answer may use. */
  learn(exit: string, reliable: boolean, version?: number): void {
    for (const peer of this.#peers) {
      if (peer.pubkey !== exit) continue;
      peer.state.suggest(reliable, performance.now(), version);
      peer.update();
    }
  }

  #entryPeer({ peer: pubkey, relays }: Pick<OpenOptions, 'peer' | 'relays'>): Peer {
    const signer = this.#keys.of(pubkey);
    const known = this.#peers.get(signer.pubkey, pubkey);
    const urls = [...new Set(relays.map(normalizeRelayUrl))];
    if (known !== undefined) {
      // Another name of the same exit lists other relays: the newer one counts, unless streams hold the old.
      if (known.state.streams.size > 0 || sameRelays(known.route.links, urls)) {
        this.#peers.keep(known);
        return known;
      }
      this.#peers.drop(known);
    }
    this.#reception.signers.set(signer.pubkey, signer);
    const links = urls.map((url) => this.#inboxes.add(url, signer.pubkey, pubkey));
    return this.#addPeer(signer, pubkey, new Route(links, this.#health));
  }

  #addPeer(signer: Signer, pubkey: string, route: Route): Peer {
    const peer = new Peer({
      role: this.#role,
      version: this.#options.version,
      signer,
      pubkey,
      route,
      windows: this.#windows,
      memory: this.#memory,
      newKey: randomUUID,
      log: this.#options.log,
      onReady: (ready) => this.#schedule(ready),
      onIncoming: (from, stream) => this.#admit(new IncomingRequest(from, stream)),
      direct: this.#options.directExit !== undefined,
      onPath: (from, message, isFresh) => this.#direct?.take(from.pubkey, message, isFresh),
      onOffer: (from) => this.#options.directEntry?.offered(from.pubkey),
      onIdle: (idle) => this.#peers.idle(idle),
    });
    this.#peers.add(peer);
    return peer;
  }

  readonly #admit = (incoming: IncomingStream): void => {
    if (this.#isClosing || this.streams > this.#maxStreams) {
      const code = this.#isClosing ? 'shutting_down' : 'connection_limit_reached';
      incoming.refuse(new NwsError(code, 'this exit takes no more streams now'));
    } else this.#options.onIncoming?.(incoming);
  };

  #onDrop(peer: Peer): void {
    this.#pump.forget(peer);
    if (this.#role === 'exit') return;
    for (const link of peer.route.links)
      this.#inboxes.remove(link, peer.signer.pubkey, peer.pubkey);
    if (peer.signer !== this.#options.signer) this.#reception.signers.delete(peer.signer.pubkey);
  }

  #onEvent(...[event, link, content]: Parameters<OnEvent>): void {
    if (this.#isClosed) return;
    try {
      const received = START_KINDS.includes(event.kind)
        ? this.#onExitStart(event)
        : this.#reception.read(event, content);
      if (received !== undefined) this.#deliver(received, link);
    } catch (error) {
      this.#options.log.error({ err: error }, 'an event could not be handled');
    }
  }

  /** An exit published what it publishes when it starts: it may not know our streams any more. */
  #onExitStart(event: NostrEvent): undefined {
    if (!this.#reception.isNew(event)) return;
    const version = event.kind === KIND.certificate ? streamVersion(event) : undefined;
    for (const peer of this.#peers) if (peer.pubkey === event.pubkey) peer.restarted(version);
    this.#options.directEntry?.restarted(event.pubkey);
  }

  #deliver(received: Received, link: RelayLink): void {
    const { signer, from, createdAt } = received;
    if (this.#options.admits?.(from) === false) {
      this.#strangers.turnAway(received, link);
      return;
    }
    // What was written before this process started may have been served by the one before it.
    const isFresh = createdAt >= this.#startedAtS;
    this.#peerOf(signer, from)?.receive(received, isFresh, link);
  }

  #schedule(peer: Peer): void {
    if (!this.#isClosed) this.#pump.schedule(peer);
  }

  /** Takes no new streams, lets the open ones end for `graceMs`, then resets them. */
  async close(graceMs = 0): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const deadline = performance.now() + graceMs;
    while (this.streams > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#isClosed = true;
    this.#pump.close();
    this.#reverse?.close();
    await this.#direct?.close();
    for (const peer of this.#peers) peer.reset(shuttingDown());
    this.#peers.close();
    this.#inboxes.close();
  }
}

function shuttingDown(): NwsError {
  return new NwsError('shutting_down', 'this side is shutting down');
}
