// One connection in advance to each exit that was used lately, its pinned TLS done: a new client's first byte then takes
// one round trip over the relays instead of two. A spare has never carried anything of a client.

import type { TLSSocket } from 'node:tls';
import type { HostPort } from '../../http/host-port.js';
import type { Pin } from '../../tls/pins/pin.js';
import type { ResolvedHost } from '../resolve.js';

/** Less than exits keep a connection without a request, by more than relays take. */
const SPARE_MS = 60_000;
/** Of all exits. */
const MAX_SPARES = 32;
/** What a server of HTTP/2 may say unasked: SETTINGS and windows. */
const MAX_GREETING_BYTES = 4_096;
const SETTINGS_FRAME = 4;
const WINDOW_UPDATE_FRAME = 8;

/** Where a spare leads, and how it was come by. */
export interface SpareRoute {
  /** As the client has asked for it. */
  readonly at: HostPort;
  readonly to: ResolvedHost;
  readonly pin: Pin;
  /** What was offered: another client gets what it would have got itself. */
  readonly alpn: readonly string[];
}

export type OpenSpare = (route: SpareRoute, signal: AbortSignal) => Promise<TLSSocket>;

/** A connection that nobody has used yet, in the hands of who took it. */
export interface Spare {
  readonly socket: TLSSocket;
  /** What the exit has said unasked, which is the client's. */
  readonly greeting: Buffer;
  /** In ms since 1970: other clocks stand still while the machine sleeps, and the exit's doesn't. */
  readonly madeAt: number;
}

interface Kept {
  /** What it was opened under. */
  readonly trust: string;
  readonly socket: TLSSocket;
  /** Stops watching over it. */
  readonly release: () => Spare;
}

/** One on its way. */
interface Awaited {
  readonly done: Promise<void>;
  /** By a client. */
  isClaimed: boolean;
}

/** One for each entry. */
export class Spares {
  readonly #open: OpenSpare;
  readonly #closing = new AbortController();
  /** By host and port as asked for, and what the client offers; the oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #awaited = new Map<string, Awaited>();

  constructor(open: OpenSpare) {
    this.#open = open;
  }

  /** Connections that wait for a client. */
  get size(): number {
    return this.#kept.size;
  }

  /** Whether there is one for some client, or will be in less time than it takes to open another. */
  has(at: HostPort): boolean {
    const place = placeOf(at);
    for (const key of this.#kept.keys()) if (key.startsWith(place)) return true;
    for (const [key, { isClaimed }] of this.#awaited)
      if (!isClaimed && key.startsWith(place)) return true;
    return false;
  }

  /** A connection for a client, which is its own from then on; none where none fits. */
  async take(route: SpareRoute): Promise<Spare | undefined> {
    const key = keyOf(route);
    const awaited = this.#awaited.get(key);
    if (!this.#kept.has(key) && awaited?.isClaimed === false) {
      awaited.isClaimed = true;
      await awaited.done;
    }
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    const spare = kept.release();
    const ageMs = Date.now() - spare.madeAt;
    if (kept.trust === trustOf(route) && ageMs < SPARE_MS && !spare.socket.destroyed) return spare;
    spare.socket.destroy();
    return undefined;
  }

  /** Takes a connection back to which nothing was said. */
  putBack(route: SpareRoute, spare: Spare): void {
    if (this.#closing.signal.aborted) spare.socket.destroy();
    else this.#keep(route, spare);
  }

  /** An exit is in use by this connection: the next client will want the same, soon or when this one has ended. */
  follow(route: SpareRoute, socket: TLSSocket): void {
    // Only what waits for its client's word, as HTTP does, may wait.
    if (!/^h(2|ttp)/.test(socket.alpnProtocol || '')) return;
    setImmediate(() => void this.#refill(route)); // behind this client's own word
    socket.once('close', () => {
      if (socket.readableEnded) void this.#refill(route);
    });
  }

  /** Ends all that wait, and all that are being opened. */
  close(): void {
    this.#closing.abort();
    for (const { socket } of this.#kept.values()) socket.destroy();
  }

  async #refill(route: SpareRoute): Promise<void> {
    // Of an exit of NIP-443 nobody hears that it was started anew: its streams would be silent for ever.
    if (!route.pin.reliable) return;
    const key = keyOf(route);
    if (this.#closing.signal.aborted || this.#kept.has(key) || this.#awaited.has(key)) return;
    const done = this.#make(route).finally(() => this.#awaited.delete(key));
    this.#awaited.set(key, { done, isClaimed: false });
    await done;
  }

  async #make(route: SpareRoute): Promise<void> {
    const { signal } = this.#closing;
    try {
      const socket = await this.#open(route, signal);
      if (signal.aborted) socket.destroy();
      else this.#keep(route, { socket, greeting: Buffer.alloc(0), madeAt: Date.now() });
    } catch {
      // The next client finds out by itself, and is told.
    }
  }

  #keep(route: SpareRoute, spare: Spare): void {
    const { socket } = spare;
    const key = keyOf(route);
    if (this.#kept.has(key)) return void socket.destroy();
    const [oldest] = this.#kept.values();
    if (this.#kept.size >= MAX_SPARES) oldest?.socket.destroy();
    const release = watch(spare, () => {
      if (this.#kept.get(key)?.socket === socket) this.#kept.delete(key);
    });
    if (!socket.destroyed) this.#kept.set(key, { trust: trustOf(route), socket, release });
  }
}

/**
 * Destroys a connection that ends, grows old, or says what nobody has asked for.
 * @param onGone called when it is gone while it is watched
 * @returns stops that
 */
function watch(spare: Spare, onGone: () => void): () => Spare {
  const { socket, madeAt } = spare;
  let { greeting } = spare;
  const drop = (): void => {
    socket.destroy();
  };
  const listen = (chunk: Buffer): void => {
    greeting = Buffer.concat([greeting, chunk]);
    const isExpected = socket.alpnProtocol === 'h2' && isGreeting(greeting);
    if (!isExpected) drop();
  };
  const timer = setTimeout(drop, madeAt + SPARE_MS - Date.now());
  const gone = (): void => {
    clearTimeout(timer);
    onGone();
  };
  socket.on('data', listen).on('end', drop).once('close', gone).resume();
  return () => {
    clearTimeout(timer);
    socket.off('data', listen).off('end', drop).off('close', gone).pause();
    return { socket, greeting, madeAt };
  };
}

/** Whether these are the first frames of a server (RFC 9113, sections 3.4 and 4.1), or the start of them. */
function isGreeting(bytes: Buffer): boolean {
  if (bytes.length > MAX_GREETING_BYTES) return false;
  for (let at = 0; at + 4 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    const type = bytes[at + 3];
    if (type !== SETTINGS_FRAME && type !== WINDOW_UPDATE_FRAME) return false;
  }
  return true;
}

function placeOf({ host, port }: HostPort): string {
  return `${host.toLowerCase()}:${port} `;
}

function keyOf({ at, alpn }: SpareRoute): string {
  return placeOf(at) + alpn.join();
}

function trustOf({ to, pin }: SpareRoute): string {
  return [to.pubkey, to.host, ...pin.fingerprints].join();
}
