// What the tests of this room share: keys and events, a bare client, a relay that says what it is told to.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { EventTemplate, Event as NostrEvent } from 'nostr-tools';
import { type Logger, pino } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { createSigner, generateSecretKey, type Signer } from '../../src/crypto/signer.js';
import {
  type PublishResult,
  type RelayLink,
  type RelayLinkOptions,
  WebSocketLink,
} from '../../src/relay/link.js';

export const silentLog: Logger = pino({ level: 'silent' });
export const alice: Signer = createSigner(generateSecretKey());
export const bob: Signer = createSigner(generateSecretKey());

export function nowS(): number {
  return Math.floor(Date.now() / 1000);
}

/** A signed event; an ephemeral message for bob unless told otherwise. */
export function signed(template: Partial<EventTemplate> = {}, signer: Signer = alice): NostrEvent {
  const defaults = { kind: 28333, created_at: nowS(), tags: [['p', bob.pubkey]] };
  return signer.sign({ ...defaults, content: `${Math.random()}`, ...template });
}

/** A log that keeps its lines, for tests that count them. */
export function recordingLog(): { log: Logger; lines: { level: number; msg: string }[] } {
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

/** A link that is up. */
export async function openLink(
  url: string,
  options: Partial<RelayLinkOptions> = {},
): Promise<WebSocketLink> {
  const link = new WebSocketLink({ url, log: silentLog, ...options });
  await once(link, 'up');
  return link;
}

export function publish(link: RelayLink, event: NostrEvent): Promise<PublishResult> {
  return new Promise((resolve) => link.publish(event, resolve));
}

/** A NIP-01 client without any cleverness. */
export class RawClient {
  readonly #ws: WebSocket;
  readonly #frames: unknown[][] = [];
  #wake: () => void = () => undefined;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('error', () => undefined);
    ws.on('message', (data) => {
      this.#frames.push(JSON.parse(data.toString()) as unknown[]);
      this.#wake();
    });
  }

  static async connect(url: string): Promise<RawClient> {
    const ws = new WebSocket(url);
    const client = new RawClient(ws);
    await once(ws, 'open');
    return client;
  }

  get ws(): WebSocket {
    return this.#ws;
  }

  send(...frame: unknown[]): void {
    this.#ws.send(JSON.stringify(frame));
  }

  /** The next frame of a type; those of other types stay for later. */
  async next(type: string): Promise<unknown[]> {
    for (;;) {
      const index = this.#frames.findIndex(([first]) => first === type);
      if (index >= 0) return this.#frames.splice(index, 1)[0] as unknown[];
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Publishes and gives the relay's answer. */
  async publish(event: unknown): Promise<{ ok: unknown; reason: unknown }> {
    this.send('EVENT', event);
    const [, , ok, reason] = await this.next('OK');
    return { ok, reason };
  }

  /** Subscribes and gives the stored events. */
  async request(id: string, ...filters: object[]): Promise<NostrEvent[]> {
    this.send('REQ', id, ...filters);
    await this.next('EOSE');
    return this.takeEvents();
  }

  /** A full round trip: what the relay sent before has arrived. */
  async roundTrip(): Promise<void> {
    this.send();
    await this.next('NOTICE');
  }

  /** The events that have arrived and were not looked at. */
  takeEvents(): NostrEvent[] {
    const events = this.#frames.filter(([type]) => type === 'EVENT');
    this.#frames.splice(0, this.#frames.length, ...this.#frames.filter((f) => !events.includes(f)));
    return events.map(([, , event]) => event as NostrEvent);
  }

  async close(): Promise<void> {
    if (this.#ws.readyState === WebSocket.CLOSED) return;
    this.#ws.terminate();
    await once(this.#ws, 'close');
  }
}

/** A WebSocket server whose every answer is scripted by the test. */
export class ScriptedRelay {
  readonly #server: WebSocketServer;
  readonly sockets: WebSocket[] = [];

  private constructor(server: WebSocketServer, onFrame: (ws: WebSocket, frame: unknown[]) => void) {
    this.#server = server;
    server.on('connection', (ws) => {
      this.sockets.push(ws);
      ws.on('error', () => undefined);
      ws.on('message', (data) => onFrame(ws, JSON.parse(data.toString()) as unknown[]));
    });
  }

  static async start(
    onFrame: (ws: WebSocket, frame: unknown[]) => void = () => undefined,
    options: { autoPong?: boolean } = {},
  ): Promise<ScriptedRelay> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
    await once(server, 'listening');
    return new ScriptedRelay(server, onFrame);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const ws of this.sockets) ws.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
