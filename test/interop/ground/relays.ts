// A bare NIP-01 client over several relays at once, for the stand-ins: publishes to all, hears each event once.

import { once } from 'node:events';
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { WebSocket } from 'ws';

const SUBSCRIPTION = 'stand-in';

export class Relays {
  /** What relays have said against our events. */
  readonly refusals: string[] = [];
  readonly #sockets: readonly WebSocket[];
  readonly #seen = new Set<string>();
  /** Who waits for which frames of a socket. */
  readonly #waits = new Map<string, () => void>();
  #onEvent: (event: NostrEvent) => void = () => undefined;

  private constructor(sockets: readonly WebSocket[]) {
    this.#sockets = sockets;
    for (const [index, socket] of sockets.entries()) {
      socket.on('message', (data) => this.#onFrame(index, JSON.parse(String(data)) as unknown[]));
      socket.on('close', () => this.#giveUp());
    }
  }

  static async connect(urls: readonly string[]): Promise<Relays> {
    const sockets = urls.map((url) => new WebSocket(url, { perMessageDeflate: false }));
    const relays = new Relays(sockets);
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    for (const socket of sockets) socket.on('error', () => undefined);
    return relays;
  }

  /** Resolves when every relay has said OK, or has refused. */
  async publish(event: NostrEvent): Promise<void> {
    await this.#toAll(['EVENT', event], event.id);
  }

  /** The one subscription; resolves when every relay has given what it has. */
  async subscribe(filter: Filter, onEvent: (event: NostrEvent) => void): Promise<void> {
    this.#onEvent = onEvent;
    await this.#toAll(['REQ', SUBSCRIPTION, filter], SUBSCRIPTION);
  }

  close(): void {
    this.#onEvent = () => undefined;
    for (const socket of this.#sockets) socket.terminate();
  }

  async #toAll(frame: readonly unknown[], answeredBy: string): Promise<void> {
    const text = JSON.stringify(frame);
    const open = [...this.#sockets.entries()].filter(([, { readyState }]) => readyState === 1);
    const answers = open.map(([index, socket]) => {
      socket.send(text);
      return new Promise<void>((resolve) => this.#waits.set(`${index} ${answeredBy}`, resolve));
    });
    await Promise.all(answers);
  }

  #onFrame(index: number, [type, id, value, reason]: unknown[]): void {
    if (type === 'EVENT') this.#take(value as NostrEvent);
    if (type === 'OK' && value === false) this.refusals.push(`${reason}`);
    if (type !== 'OK' && type !== 'EOSE') return;
    const wait = `${index} ${id}`;
    this.#waits.get(wait)?.();
    this.#waits.delete(wait);
  }

  #take(event: NostrEvent): void {
    if (this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    this.#onEvent(event);
  }

  /** A relay that is gone answers nothing any more. */
  #giveUp(): void {
    for (const [wait, done] of this.#waits) {
      if (this.#sockets[Number.parseInt(wait, 10)]?.readyState !== WebSocket.CLOSED) continue;
      this.#waits.delete(wait);
      done();
    }
  }
}
