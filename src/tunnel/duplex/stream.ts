// A stream as an ordinary Node Duplex, so that http, tls, undici and net compose with it.
// What the bytes become on the wire is protocol/stream-state.ts; when it goes out, tunnel/peer.ts.

import type { Ending } from '../../common/tls-over-streams.js';
import { NwsError } from '../../errors.js';
import type { StreamState } from '../../protocol/stream/stream-state.js';
import { SocketLike } from './socket-like.js';

/** Bytes taken from the application before they are sent: enough to fill events while one is on its way. */
const SEND_QUEUE_BYTES = 256 * 1024;
/** A side that is done with the stream leaves the other this long to take more of what was written. */
const LINGER_MS = 30_000;
/** The same where the other has it all, and its application may be reading: nobody can tell for how long. */
const MAX_LINGER_MS = 10 * 60_000;

export class TunnelStream extends SocketLike implements Ending {
  readonly #state: StreamState;
  /** Tells the peer's shell that the state changed. */
  readonly #changed: () => void;
  #pendingWrite: (() => void) | undefined;
  #pendingFinal: (() => void) | undefined;
  #wantsBytes = false;
  #isEnded = false;
  #lingerTimer: NodeJS.Timeout | undefined;
  /** The peer has sent what nobody reads any more. */
  #isUnheard = false;

  constructor(state: StreamState, changed: () => void) {
    super({ allowHalfOpen: true });
    this.#state = state;
    this.#changed = changed;
  }

  /** What the stream is called on both sides. */
  get key(): string {
    return this.#state.key;
  }

  /** Brings the Duplex up to date with the state; called after anything may have changed it. */
  sync(): void {
    const { send, receive, phase, error } = this.#state;
    if (this.#lingerTimer !== undefined) this.#discard();
    if (this.#pendingWrite !== undefined && send.queuedBytes < SEND_QUEUE_BYTES) {
      const done = this.#pendingWrite;
      this.#pendingWrite = undefined;
      done();
    }
    this.#deliver();
    if (this.#pendingFinal !== undefined && send.finished) {
      const done = this.#pendingFinal;
      this.#pendingFinal = undefined;
      done();
    }
    if (receive.finished && !this.#isEnded) {
      this.#isEnded = true;
      this.push(null);
    }
    if (phase !== 'over') return;
    clearTimeout(this.#lingerTimer);
    if (error !== undefined) this.destroy(error);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#take(chunk);
    this.#taken(callback);
  }

  /** Several writes that came together, as TLS makes them, are one. */
  override _writev(writes: readonly { readonly chunk: Buffer }[], callback: () => void): void {
    for (const { chunk } of writes) this.#take(chunk);
    this.#taken(callback);
  }

  #take(chunk: Buffer): void {
    this.#state.send.write(chunk);
    this.bytesWritten += chunk.length;
  }

  #taken(callback: () => void): void {
    if (this.#state.send.queuedBytes < SEND_QUEUE_BYTES) callback();
    else this.#pendingWrite = callback;
    this.#changed();
  }

  /** Calls back when the peer has everything, so that 'finish' means delivered. */
  override _final(callback: () => void): void {
    this.#pendingFinal = callback;
    this.#state.send.end();
    this.#changed();
  }

  /** The end comes right behind what was written: it may go out with it. */
  endsSoon(): void {
    this.#state.send.endsSoon(performance.now());
  }

  override _read(): void {
    this.#wantsBytes = true;
    this.#deliver();
  }

  #deliver(): void {
    let took = false;
    while (this.#wantsBytes && !this.destroyed) {
      const bytes = this.#state.receive.take(performance.now());
      if (bytes === undefined) break;
      took = true;
      this.bytesRead += bytes.length;
      this.#wantsBytes = this.push(bytes);
    }
    // The window may have opened.
    if (took) this.#changed();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const { phase, send } = this.#state;
    if (phase === 'open' && error === null && send.endQueued) {
      // Written and ended in order: what was written still goes out, as it does on a TCP socket.
      this.#state.leave();
      this.#linger(MAX_LINGER_MS - LINGER_MS);
      this.#discard();
      this.#changed();
    } else if (phase !== 'over') this.#abort(error);
    callback(error);
  }

  /** @param leftMs how much longer it may be, once the peer has everything and says nothing */
  #linger(leftMs: number): void {
    const { send } = this.#state;
    const before = send.progress;
    this.#isUnheard = false;
    this.#lingerTimer = setTimeout(() => {
      const isAtRest = send.finished && !this.#isUnheard && leftMs > 0;
      if (send.progress !== before) this.#linger(leftMs);
      else if (isAtRest) this.#linger(leftMs - LINGER_MS);
      else this.#abort(null);
    }, LINGER_MS);
  }

  #abort(error: Error | null): void {
    const reason = error instanceof NwsError ? error : gone();
    this.#state.reset(reason, performance.now());
    this.#changed();
  }

  #discard(): void {
    while (this.#state.receive.take(performance.now()) !== undefined) this.#isUnheard = true;
  }
}

function gone(): NwsError {
  return new NwsError('connection_terminated', 'the other side closed the connection');
}
