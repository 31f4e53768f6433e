// A relay that checks nothing: what it is given it keeps, hands out and passes on, signed or not. And what the
// test injects, it sends to every subscriber.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { matchFilter } from 'nostr-tools/filter';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

interface Subscriber {
  readonly socket: WebSocket;
  readonly id: string;
  readonly filters: readonly Filter[];
}

export class CarelessRelay {
  readonly #server: WebSocketServer;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #stored: NostrEvent[] = [];
  readonly #authors = new Set<string>();
  #sockets = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => {
      const name = `${this.#sockets++}`;
      socket.on('error', () => undefined);
      socket.on('message', (data) => this.#onFrame(socket, name, data));
    });
  }

  static async start(): Promise<CarelessRelay> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    await once(server, 'listening');
    return new CarelessRelay(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections so far. */
  get connections(): number {
    return this.#sockets;
  }

  /** Whose events it has been given. */
  get authors(): string[] {
    return [...this.#authors];
  }

  /** Sends an event, or what is meant to look like one, to all who subscribe to anything. */
  inject(event: unknown): void {
    for (const { socket, id } of this.#subscribers.values()) {
      socket.send(JSON.stringify(['EVENT', id, event]));
    }
  }

  /** Sends a frame as it is to every client. */
  injectFrame(frame: string | Buffer): void {
    for (const socket of this.#server.clients) socket.send(frame);
  }

  /** Keeps an event for whoever asks. */
  store(event: NostrEvent): void {
    this.#stored.push(event);
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #onFrame(socket: WebSocket, name: string, data: RawData): void {
    const [type, ...rest] = JSON.parse(data.toString()) as [string, ...unknown[]];
    if (type === 'EVENT') this.#publish(socket, rest[0] as NostrEvent);
    else if (type === 'CLOSE') this.#subscribers.delete(`${name} ${rest[0]}`);
    else if (type === 'REQ') {
      const [id, ...filters] = rest as [string, ...Filter[]];
      this.#subscribers.set(`${name} ${id}`, { socket, id, filters });
      socket.once('close', () => this.#subscribers.delete(`${name} ${id}`));
      for (const event of this.#stored) this.#send({ socket, id, filters }, event);
      socket.send(JSON.stringify(['EOSE', id]));
    }
  }

  #publish(socket: WebSocket, event: NostrEvent): void {
    this.#authors.add(event.pubkey);
    socket.send(JSON.stringify(['OK', event.id, true, '']));
    if (event.kind >= 30_000) this.#stored.push(event);
    for (const subscriber of this.#subscribers.values()) this.#send(subscriber, event);
  }

  #send({ socket, id, filters }: Subscriber, event: NostrEvent): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (filters.some((filter) => matchFilter(filter, event))) {
      socket.send(JSON.stringify(['EVENT', id, event]));
    }
  }
}
