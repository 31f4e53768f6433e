// Raw bytes both ways: each stream becomes one TCP connection.
//
//   entry ═ stream ─ accept() ─ splice ─ connect() ─ destination
//
// The stream is accepted when the destination is connected, so a dead one is an error at the client.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { NwsError, toNwsError } from '../../errors.js';
import { splice } from '../../tunnel/duplex/splice.js';
import type { IncomingStream } from '../../tunnel/session.js';

export type Connect = (signal: AbortSignal) => Promise<Socket>;

export class RawStreams {
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #streams = new Set<Duplex>();
  #onEmpty: (() => void) | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Takes the stream, or refuses it. */
  async serve(incoming: IncomingStream, connect: Connect): Promise<void> {
    const { peer, key } = incoming;
    const signal = AbortSignal.any([this.#closing.signal, incoming.signal]);
    let socket: Socket | undefined;
    try {
      socket = await connect(signal);
      this.#join(incoming, incoming.accept(), socket);
    } catch (error) {
      socket?.destroy();
      const failure = toNwsError(error);
      this.#log.warn({ peer, key, code: failure.code }, failure.message);
      incoming.refuse(failure);
    }
  }

  /** Lets streams end by themselves for `graceMs`, then resets them. */
  async close(graceMs: number): Promise<void> {
    this.#closing.abort();
    if (this.#streams.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    const error = new NwsError('shutting_down', 'the exit is shutting down');
    const timer = setTimeout(() => {
      for (const stream of this.#streams) stream.destroy(error);
    }, graceMs);
    await empty;
    clearTimeout(timer);
  }

  #join({ peer, key }: IncomingStream, stream: Duplex, socket: Socket): void {
    this.#streams.add(stream);
    splice(stream, socket, {
      onEnd: ({ bytesAtoB, bytesBtoA, error }) => {
        this.#log.debug({ peer, key, up: bytesAtoB, down: bytesBtoA, error }, 'connection ended');
        this.#streams.delete(stream);
        if (this.#streams.size === 0) this.#onEmpty?.();
      },
    });
  }
}
