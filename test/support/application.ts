// An application at one end of a simulated stream: writes bytes that depend on their place, and checks each that
// it reads.

import type { StreamState } from '../../src/protocol/stream/stream-state.js';

export interface StreamPlan {
  readonly startMs: number;
  readonly upBytes: number;
  readonly downBytes: number;
  /** What each application takes at a time, and the pause between: a slow reader closes the window. */
  readonly readBytes: number;
  readonly readPauseMs: number;
  /** Neither side ends its direction. */
  readonly holdOpen?: boolean | undefined;
  /** The entry's application gives up then. */
  readonly abortMs?: number | undefined;
}

export type Role = 'entry' | 'exit';

/** The byte at each place of one direction of one stream: anything else, or anywhere else, is wrong. */
function byteAt(stream: number, role: Role, offset: number): number {
  return (offset * 31 + (offset >> 8) * 7 + stream * 3 + (role === 'entry' ? 1 : 2)) & 0xff;
}

function bytesOf(stream: number, role: Role, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  for (let offset = from; offset < to; offset += 1)
    bytes[offset - from] = byteAt(stream, role, offset);
  return bytes;
}

/** One end's application: writes its bytes, reads and checks the other's. */
export class Application {
  receivedBytes = 0;
  /** The other side's end was read. */
  finished = false;
  #writtenBytes = 0;
  #hasEnded = false;

  constructor(
    readonly index: number,
    readonly role: Role,
    readonly plan: StreamPlan,
    readonly stream: StreamState,
  ) {}

  get #writes(): number {
    return this.role === 'entry' ? this.plan.upBytes : this.plan.downBytes;
  }

  get complete(): boolean {
    const expected = this.role === 'entry' ? this.plan.downBytes : this.plan.upBytes;
    return this.finished && this.receivedBytes === expected && this.stream.send.finished;
  }

  step(now: number): void {
    const { send } = this.stream;
    if (this.#writtenBytes < this.#writes && send.queuedBytes < 50_000) {
      const next = Math.min(this.#writes, this.#writtenBytes + 50_000);
      send.write(bytesOf(this.index, this.role, this.#writtenBytes, next));
      this.#writtenBytes = next;
    }
    if (!this.#hasEnded && !this.plan.holdOpen && this.#writtenBytes === this.#writes) {
      this.#hasEnded = true;
      send.end();
    }
    for (let budget = this.plan.readBytes; budget > 0; ) {
      const data = this.stream.receive.take(now);
      if (data === undefined) break;
      this.#check(data);
      budget -= data.length;
    }
    this.finished = this.stream.receive.finished;
  }

  #check(data: Buffer): void {
    const other = this.role === 'entry' ? 'exit' : 'entry';
    for (const byte of data) {
      if (byte !== byteAt(this.index, other, this.receivedBytes)) {
        throw new Error(
          `wrong byte at ${this.receivedBytes} of stream ${this.index} at the ${this.role}`,
        );
      }
      this.receivedBytes += 1;
    }
  }
}
