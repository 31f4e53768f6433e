// A tcp:// target: each stream becomes one connection to it, raw bytes both ways.
//
//   entry ═ stream ─ accept() ─ splice ─ dial ─ target
//
// The stream is accepted when the target is connected, so a dead one is an error at the client.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { NwsError, toNwsError } from '../errors.js';
import type { IncomingStream } from '../tunnel/session.js';
import { splice } from '../tunnel/splice.js';
import { dial } from './dial.js';
import type { Target, TargetServer } from './target.js';

export interface TcpTargetOptions {
  readonly target: Target;
  readonly log: Logger;
}

export class TcpTarget implements TargetServer {
  readonly #target: Target;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #streams = new Set<Duplex>();
  #onEmpty: (() => void) | undefined;

  constructor({ target, log }: TcpTargetOptions) {
    this.#target = target;
    this.#log = log;
  }

  serve(incoming: IncomingStream): void {
    void this.#connect(incoming);
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

  async #connect(incoming: IncomingStream): Promise<void> {
    const { peer, key } = incoming;
    const signal = AbortSignal.any([this.#closing.signal, incoming.signal]);
    let socket: Socket | undefined;
    try {
      socket = await dial(this.#target, { signal });
      this.#join(incoming, incoming.accept(), socket);
    } catch (error) {
      socket?.destroy();
      const failure = toNwsError(error);
      this.#log.warn({ peer, key, code: failure.code }, failure.message);
      incoming.refuse(failure);
    }
  }

  #join({ peer, key }: IncomingStream, stream: Duplex, socket: Socket): void {
    this.#streams.add(stream);
    splice(stream, socket, {
      onEnd: ({ bytesAtoB, bytesBtoA, error }) => {
        this.#log.debug({ peer, key, up: bytesAtoB, down: bytesBtoA, error }, 'stream ended');
        this.#streams.delete(stream);
        if (this.#streams.size === 0) this.#onEmpty?.();
      },
    });
  }
}
