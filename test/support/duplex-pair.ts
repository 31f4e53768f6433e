// Two duplex streams joined in memory, as a tunnel stream joins entry and exit: half-close,
// backpressure, and an abort of one side that the other side sees as an error.

import { Duplex } from 'node:stream';
import { NwsError } from '../../src/errors.js';

export class PairEnd extends Duplex {
  /** Bytes that were written to this end, whether or not they are read. */
  bytesTaken = 0;
  #other: PairEnd | undefined;
  #onRead: (() => void) | undefined;

  join(other: PairEnd): void {
    this.#other = other;
  }

  override _read(): void {
    const proceed = this.#onRead;
    this.#onRead = undefined;
    proceed?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytesTaken += chunk.length;
    const other = this.#other!;
    // One that has left takes what comes, and drops it.
    if (other.destroyed || other.push(chunk)) process.nextTick(done);
    else other.#onRead = done;
  }

  override _final(done: () => void): void {
    if (!this.#other!.destroyed) this.#other!.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const other = this.#other!;
    // One that has said all it had to say may go: what it wrote still arrives, as over the tunnel.
    const isOrderly = this.writableFinished && error === null;
    if (!isOrderly && !other.destroyed) {
      const reset = new NwsError('connection_terminated', 'the peer has reset the stream');
      process.nextTick(() => other.destroy(reset));
    }
    this._read(); // whoever waits for room has it now
    done(error);
  }
}

export function duplexPair(highWaterMark = 16_384): [PairEnd, PairEnd] {
  const a = new PairEnd({ highWaterMark, allowHalfOpen: true });
  const b = new PairEnd({ highWaterMark, allowHalfOpen: true });
  a.join(b);
  b.join(a);
  return [a, b];
}
