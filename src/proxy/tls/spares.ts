// One connection in advance to each exit that was used lately, its pinned TLS done: a new client's first byte then takes
// one round trip over the relays instead of two. A spare has never carried anything of a client.

import type { TLSSocket } from 'node:tls';
import type { Pin } from '../../tls/pins/pin.js';
import type { HostPort } from '../host-port.js';
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

interface Spare {
  readonly key: string;
  readonly socket: TLSSocket;
  /** Stops watching over it; what it has said is to be read again. */
  readonly release: () => void;
}

/** One for each entry. */
export class Spares {
  readonly #open: OpenSpare;
  readonly #closing = new AbortController();
  /** By host and port as asked for; the oldest first. */
  readonly #spares = new Map<string, Spare>();
  readonly #opening = new Set<string>();

  constructor(open: OpenSpare) {
    this.#open = open;
  }

  /** Connections that wait for a client. */
  get size(): number {
    return this.#spares.size;
  }

  has(at: HostPort): boolean {
    return this.#spares.has(placeOf(at));
  }

  /** A connection for a client, which is its own from then on; none where none fits. */
  take(route: SpareRoute): TLSSocket | undefined {
    const place = placeOf(route.at);
    const spare = this.#spares.get(place);
    if (spare === undefined) return undefined;
    this.#spares.delete(place);
    spare.release();
    const fits = spare.key === keyOf(route) && !spare.socket.destroyed;
    if (!fits) spare.socket.destroy();
    return fits ? spare.socket : undefined;
  }

  /** The exit was reached this way just now: the next client will want the same. */
  async refill(route: SpareRoute): Promise<void> {
    const place = placeOf(route.at);
    const { signal } = this.#closing;
    if (signal.aborted || this.#spares.has(place) || this.#opening.has(place)) return;
    this.#opening.add(place);
    try {
      const socket = await this.#open(route, signal);
      if (signal.aborted) socket.destroy();
      else this.#keep(place, keyOf(route), socket);
    } catch {
      // The next client finds out by itself, and is told.
    } finally {
      this.#opening.delete(place);
    }
  }

  /** Ends all that wait, and all that are being opened. */
  close(): void {
    this.#closing.abort();
    for (const { socket } of this.#spares.values()) socket.destroy();
  }

  #keep(place: string, key: string, socket: TLSSocket): void {
    const [oldest] = this.#spares.values();
    if (this.#spares.size >= MAX_SPARES) oldest?.socket.destroy();
    const release = watch(socket, () => {
      if (this.#spares.get(place)?.socket === socket) this.#spares.delete(place);
    });
    if (!socket.destroyed) this.#spares.set(place, { key, socket, release });
  }
}

/**
 * Destroys a connection that ends, grows old, or says what nobody has asked for.
 * @param onGone called when it is gone while it is watched
 * @returns stops that, and puts back what was said
 */
function watch(socket: TLSSocket, onGone: () => void): () => void {
  let greeting: Buffer = Buffer.alloc(0);
  const drop = (): void => {
    socket.destroy();
  };
  const listen = (chunk: Buffer): void => {
    greeting = Buffer.concat([greeting, chunk]);
    const isExpected = socket.alpnProtocol === 'h2' && isGreeting(greeting);
    if (!isExpected) drop();
  };
  const timer = setTimeout(drop, SPARE_MS);
  const gone = (): void => {
    clearTimeout(timer);
    onGone();
  };
  socket.on('data', listen).on('end', drop).once('close', gone);
  return () => {
    clearTimeout(timer);
    socket.off('data', listen).off('end', drop).off('close', gone).pause();
    if (greeting.length > 0 && !socket.destroyed) socket.unshift(greeting);
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
  return `${host.toLowerCase()}:${port}`;
}

function keyOf({ to, pin, alpn }: SpareRoute): string {
  return [to.pubkey, to.host, ...pin.fingerprints, '', ...alpn].join();
}
