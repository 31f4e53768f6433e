// The embedded relay, for development and tests: one port that speaks WebSocket, NIP-11 and plain HTTP.
// Here are sockets and lifecycle only; frames are read in client.ts, events judged in core.ts.
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import { NwsError, toNwsError } from '../../errors.js';
import { DEFAULT_FRAME_BYTES } from '../../limits.js';
import { defaultBehaviour, type RelayBehaviour, seededRandom } from './behaviour.js';
import { RelayClient } from './client.js';
import { RelayCore } from './core.js';
import { refuseHandshake, turnedAway } from './handshake.js';
import { StunServer } from './stun-server.js';

export type { RelayBehaviour } from './behaviour.js';
export { strfryBehaviour } from './presets.js';

/** Clients at once. */
const MAX_CONNECTIONS = 1_024;
/** What a frame may hold beside its event. */
const FRAME_OVERHEAD_BYTES = 128;

/** What the embedded relay is started with. */
export interface MemoryRelayOptions {
  /** Default 0: a free port of the system's choice. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default: none. */
  readonly log?: Logger | undefined;
  /** Largest event in bytes of JSON; default 65,536. */
  readonly maxEventBytes?: number | undefined;
  /** Habits and faults of other relays; default: none. */
  readonly behaviour?: Partial<RelayBehaviour> | undefined;
  /** Answers STUN on the UDP port of the same number, on every address. */
  readonly stun?: boolean | undefined;
  /** Repeats the same losses and repetitions. */
  readonly seed?: number | undefined;
}

/** Counts of a relay. */
export interface MemoryRelayStats {
  /** Clients that are connected. */
  readonly connections: number;
  /** Subscriptions that are open. */
  readonly subscriptions: number;
  /** Events accepted so far. */
  readonly events: number;
  /** Events refused so far. */
  readonly refused: number;
  /** Events handed to subscribers so far. */
  readonly delivered: number;
  /** Events that are kept. */
  readonly stored: number;
}

/** What a relay tells. */
export interface MemoryRelayEvents {
  /** An event was accepted. */
  event: [event: NostrEvent];
}

/** A small relay in memory, for development and tests. */
export class MemoryRelay extends EventEmitter<MemoryRelayEvents> {
  /** Switches, effective at once when changed. */
  readonly behaviour: RelayBehaviour;
  readonly #core: RelayCore;
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  readonly #clients = new Map<WebSocket, RelayClient>();
  readonly #log: Logger | undefined;
  #stun: StunServer | undefined;
  #disconnectedAt = performance.now();

  private constructor(options: MemoryRelayOptions) {
    super();
    const { behaviour, maxEventBytes, log, seed = 1 } = options;
    this.#log = log;
    this.behaviour = { ...defaultBehaviour, ...behaviour };
    if (maxEventBytes !== undefined) this.behaviour.maxEventBytes = maxEventBytes;
    this.#core = new RelayCore({
      behaviour: this.behaviour,
      random: seededRandom(seed),
      onAccepted: (event) => this.emit('event', event),
    });
    this.#webSockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: this.#maxFrameBytes,
    });
    this.#server = createServer((request, response) => this.#onRequest(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  /** Rejects with address_in_use where the port is taken. */
  static async start(options: MemoryRelayOptions = {}): Promise<MemoryRelay> {
    const relay = new MemoryRelay(options);
    const { port = 0, host = '127.0.0.1' } = options;
    relay.#server.listen(port, host);
    try {
      await once(relay.#server, 'listening');
    } catch (cause) {
      const { code, message } = toNwsError(cause);
      if (code !== 'address_in_use') throw new NwsError(code, message, { cause });
      const hint = 'stop what listens there, or choose another port';
      throw new NwsError(code, `port ${port} on ${host} is taken`, { cause, hint });
    }
    try {
      if (options.stun) relay.#stun = await StunServer.start({ port: relay.#port });
    } catch (error) {
      await relay.close();
      throw error;
    }
    return relay;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `ws://host:port`. */
  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `ws://[${address}]:${port}` : `ws://${address}:${port}`;
  }

  /** What it has done so far. */
  get stats(): MemoryRelayStats {
    const counts = [...this.#clients.values()].map((client) => client.subscriptions);
    const subscriptions = counts.reduce((sum, count) => sum + count, 0);
    return { connections: this.#clients.size, subscriptions, ...this.#core.stats };
  }

  /** Drops every connection without a farewell, as a crash would. */
  disconnectAll(): void {
    this.#disconnectedAt = performance.now();
    for (const ws of this.#clients.keys()) ws.terminate();
  }

  /** Ends everything; resolves when the port is free. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.disconnectAll();
    this.#webSockets.close();
    this.#server.closeAllConnections();
    this.#core.close();
    await Promise.all([closed, this.#stun?.close()]);
  }

  get #maxFrameBytes(): number {
    return Math.max(DEFAULT_FRAME_BYTES, this.behaviour.maxEventBytes + FRAME_OVERHEAD_BYTES);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isFull = this.#clients.size >= MAX_CONNECTIONS;
    const answer = isFull ? { status: 503 } : turnedAway(request, this.behaviour);
    if (answer !== undefined) {
      refuseHandshake(socket, answer);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
      this.#onConnection(ws, request.headers.host ?? '');
    });
  }

  #onConnection(ws: WebSocket, host: string): void {
    const client = new RelayClient({ ws, host, core: this.#core });
    this.#clients.set(ws, client);
    ws.on('message', (data) => {
      if (!this.#isTimeToDisconnect()) client.onMessage(data as Buffer);
    });
    ws.on('error', (error) => this.#log?.debug({ err: error }, 'a client broke the connection'));
    ws.on('close', () => {
      this.#clients.delete(ws);
      client.close();
    });
  }

  #isTimeToDisconnect(): boolean {
    const { disconnectEveryMs } = this.behaviour;
    if (disconnectEveryMs === 0) return false;
    if (performance.now() - this.#disconnectedAt < disconnectEveryMs) return false;
    this.disconnectAll();
    return true;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const wantsDocument = request.headers.accept?.includes('application/nostr+json') ?? false;
    const type = wantsDocument ? 'application/nostr+json' : 'text/plain; charset=utf-8';
    const date = new Date(Date.now() + 1_000 * this.behaviour.clockAheadS).toUTCString();
    // NIP-11 wants web pages to be able to read the document.
    response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*', date });
    response.end(wantsDocument ? JSON.stringify(this.#document()) : this.#page());
  }

  #document(): object {
    return {
      name: 'nws relay',
      description: 'A relay in memory, for development and tests',
      software: 'nws',
      supported_nips: [1, 11, 40, 42],
      limitation: {
        max_message_length: this.#maxFrameBytes,
        max_content_length: this.behaviour.maxEventBytes,
        max_subscriptions: this.behaviour.maxSubscriptions,
        auth_required: this.behaviour.authRequired,
      },
    };
  }

  #page(): string {
    return `This is the relay of nws, a Nostr relay in memory for development and tests.\nConnect a Nostr client to ${this.url}\n`;
  }
}
