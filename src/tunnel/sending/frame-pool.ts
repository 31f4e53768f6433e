// Memory for frames of bulk data, used over and over: a frame of 56 KB is kept until the relay has answered, and new memory
// for each of hundreds a second keeps the collector busy.

/** What an event of 65,536 bytes needs, the default limit of relays, and what stands around it. */
const FRAME_BYTES = 68 * 1_024;
/** Below this, new memory costs less. */
const LEAST_BYTES = 8 * 1_024;
/** 2 MB; more than that waits only for relays whose answers take long. */
const MAX_SPARE = 32;

export class FramePool {
  readonly #spare: ArrayBuffer[] = [];

  /** Memory for so many bytes; what it holds is undefined. */
  take(bytes: number): Buffer {
    if (bytes < LEAST_BYTES || bytes > FRAME_BYTES) return Buffer.allocUnsafe(bytes);
    return Buffer.from(this.#spare.pop() ?? new ArrayBuffer(FRAME_BYTES), 0, bytes);
  }

  /** Takes memory back that nobody reads any more: what came from take(), or the beginning of it. */
  giveBack({ buffer, byteOffset }: Buffer): void {
    const isOurs = buffer instanceof ArrayBuffer && buffer.byteLength === FRAME_BYTES;
    if (isOurs && byteOffset === 0 && this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
  }
}
