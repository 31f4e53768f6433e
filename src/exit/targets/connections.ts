// The connections of an HTTP server that never listens: which entry each one comes from, which are
// idle and for how long, and how they end. Node tracks this only for servers that listen.

import type { Duplex } from 'node:stream';
import { IDLE_SLACK_MS } from '../../http/h1/front.js';

/** How long clients are told that a connection waits for its next request. */
export const ANNOUNCED_IDLE_MS = 75_000;
/** How long it waits, for the rest of a head, too. */
const IDLE_MS = ANNOUNCED_IDLE_MS + IDLE_SLACK_MS;

interface Connection {
  /** Pubkey of the entry. */
  readonly entry: string;
  /** Requests that are being answered. */
  active: number;
  /** Ends it in the words of its protocol; what is under way may end first. */
  end: () => void;
  timer: NodeJS.Timeout | undefined;
}

export class Connections {
  readonly #connections = new Map<Duplex, Connection>();
  readonly #idleMs: number;
  #onEmpty: (() => void) | undefined;
  #isClosing = false;

  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Takes a connection up until it closes. */
  add(socket: Duplex, entry: string): void {
    const connection: Connection = {
      entry,
      active: 0,
      end: () => end(socket),
      timer: undefined,
    };
    this.#connections.set(socket, connection);
    this.#watch(connection);
    // One that was on its way when the end began.
    if (this.#isClosing) setImmediate(() => socket.destroy());
    socket.once('close', () => {
      clearTimeout(connection.timer);
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#onEmpty?.();
    });
  }

  /** The connection has a way of its own to end. */
  endBy(socket: Duplex, end: () => void): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) connection.end = end;
  }

  entryOf(socket: Duplex): string | undefined {
    return this.#connections.get(socket)?.entry;
  }

  /** A request begins, or the connection changes to another protocol, which has no `finish`. */
  begin(socket: Duplex): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.active += 1;
    clearTimeout(connection.timer);
  }

  /** Its answer is complete. */
  finish(socket: Duplex): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.active -= 1;
    if (connection.active > 0) return;
    if (this.#isClosing) connection.end();
    else this.#watch(connection);
  }

  /** Ends idle connections now, busy ones after their answer, and cuts what is left at `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    if (this.#connections.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const { active, end } of this.#connections.values()) if (active === 0) end();
    const timer = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy();
    }, graceMs);
    await empty;
    clearTimeout(timer);
  }

  #watch(connection: Connection): void {
    connection.timer = setTimeout(() => connection.end(), this.#idleMs);
  }
}

function end(socket: Duplex): void {
  socket.end(() => socket.destroy());
}
