// A stream of UDX as the plain Duplex that TLS runs over: frames with bytes and with leave to send more, so that a
// side that doesn't read holds up the other instead of filling its own memory.

import { Duplex } from 'node:stream';
import { NwsError } from '../../../errors.js';
import { creditFrame, dataHead, endFrame, FrameReader } from '../../../protocol/direct/frames.js';
import {
  FIRST_WINDOW_BYTES,
  ReceiveWindow,
  type WindowPool,
} from '../../../protocol/direct/window.js';
import type { Wire } from '../../secured/tls.js';
import type { UdxStream } from '../udx.js';

/** How long a stream that has ended in order may take to bring its last bytes to the other side. */
const LINGER_MS = 30_000;

interface Chunk {
  readonly chunk: Buffer;
}

type Done = (error?: Error | null) => void;

export class UdxWire extends Duplex implements Wire {
  readonly #stream: UdxStream;
  readonly #failed: (error: Error) => void;
  readonly #window: ReceiveWindow;
  readonly #reader: FrameReader;
  /** Parts that arrived in this turn of the event loop: TLS takes few large ones more cheaply than many small ones. */
  #parts: Buffer[] = [];
  #hasEnded = false;
  /** What the other side lets us send still. */
  #credit = FIRST_WINDOW_BYTES;
  #queue: Buffer[] = [];
  #done: Done | undefined;
  #isAborted = false;

  constructor(stream: UdxStream, pool: WindowPool, failed: (error: Error) => void) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#stream = stream;
    this.#failed = failed;
    this.#window = new ReceiveWindow(pool, performance.now());
    this.#reader = new FrameReader({
      onData: (part) => this.#gather(part),
      onCredit: (bytes) => {
        this.#credit += bytes;
      },
      onEnd: () => this.#end(),
    });
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('drain', () => this.#flush());
    stream.once('close', () => this.#closed());
    stream.on('error', (error: NodeJS.ErrnoException) => failed(broken(error.code)));
    if (stream.destroyed) process.nextTick(() => this.#closed());
  }

  markClean(): void {
    // The end of UDX is waited for in any case.
  }

  abort(): void {
    this.#isAborted = true;
  }

  #take(chunk: Buffer): void {
    if (this.#stream.destroying) return;
    this.#reader.read(chunk);
    if (this.#queue.length > 0) this.#flush();
  }

  #gather(part: Buffer): void {
    if (this.#hasEnded || !this.#window.arrive(part.length)) {
      this.#failed(new NwsError('http_protocol_error', 'the peer sends more than it may'));
      return;
    }
    if (this.destroyed) {
      this.#grant();
      return;
    }
    if (this.#parts.length === 0) setImmediate(() => this.#deliver());
    this.#parts.push(part);
  }

  #deliver(): void {
    const parts = joined(this.#parts);
    this.#parts = [];
    if (this.destroyed) return;
    for (const part of parts) this.push(part);
    if (this.#hasEnded) this.push(null);
    this.#grant();
  }

  #end(): void {
    this.#hasEnded = true;
    if (this.#parts.length === 0) this.push(null);
    if (this.writableFinished) this.#stream.end();
  }

  override _read(): void {
    this.#grant();
  }

  #grant(): void {
    if (this.#hasEnded || this.#stream.destroying) return;
    const unread = this.destroyed ? 0 : this.readableLength;
    const credit = this.#window.credit(unread, performance.now());
    if (credit > 0) this.#stream.write(creditFrame(credit));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#queue.push(chunk);
    this.#done = done;
    this.#flush();
  }

  override _writev(chunks: readonly Chunk[], done: Done): void {
    for (const { chunk } of chunks) this.#queue.push(chunk);
    this.#done = done;
    this.#flush();
  }

  /** Sends as much of the queue as the other side lets us, and calls back when UDX takes more. */
  #flush(): void {
    if (this.#done === undefined || this.#stream.destroying) return;
    let goesOn = true;
    if (this.#queue.length > 0 && this.#credit > 0) {
      const parts = this.#affordable();
      goesOn = this.#stream.write(dataHead(sum(parts)));
      for (const part of parts) goesOn = this.#stream.write(part);
    }
    if (this.#queue.length > 0 || !goesOn) return;
    const done = this.#done;
    this.#done = undefined;
    done();
  }

  /** Takes from the queue what the credit is good for. */
  #affordable(): Buffer[] {
    const parts: Buffer[] = [];
    while (this.#credit > 0 && this.#queue.length > 0) {
      const first = this.#queue[0]!;
      const part = first.subarray(0, this.#credit);
      this.#credit -= part.length;
      parts.push(part);
      if (part.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(part.length);
    }
    return parts;
  }

  /** UDX ends when both directions have: until then, the other side may need credit. */
  override _final(done: Done): void {
    this.#stream.write(endFrame());
    if (this.#hasEnded) this.#stream.end();
    done();
  }

  #closed(): void {
    this.#window.close();
    const isWhole = this.#hasEnded && this.writableFinished;
    if (!isWhole && !this.destroyed) this.#failed(broken('in the middle'));
  }

  /** Cuts the stream unless we have ended in order: the peer is to see an abort as one, and an end as a whole. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error !== null || this.#isAborted || !this.writableFinished) this.#stream.destroy();
    else this.#linger();
    done(error);
  }

  /** Reads on, for nobody, until the peer ends, too, and has what we said. */
  #linger(): void {
    const stream = this.#stream;
    if (this.#hasEnded) stream.end();
    else this.#grant();
    const timer = setTimeout(() => stream.destroy(), LINGER_MS).unref();
    stream.once('close', () => clearTimeout(timer));
  }
}

/** Neighbours in memory as one: UDX cuts what it reads from one buffer after the other. */
function joined(parts: readonly Buffer[]): Buffer[] {
  const whole: Buffer[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    const isNext =
      last?.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset;
    if (last === undefined || !isNext) whole.push(part);
    else
      whole[whole.length - 1] = Buffer.from(
        part.buffer,
        last.byteOffset,
        last.length + part.length,
      );
  }
  return whole;
}

function sum(parts: readonly Buffer[]): number {
  return parts.reduce((bytes, { length }) => bytes + length, 0);
}

function broken(how: string | undefined): NwsError {
  return new NwsError('connection_terminated', `the direct path broke off (${how ?? 'closed'})`);
}
