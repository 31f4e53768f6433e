// Bytes that were written and never sent yet, in order. Copies them once, as they come, into memory from which events are cut
// without another copy. Pure.

/** Where something waits already, more will come: memory is taken for so many times as much, up to a bound. */
const GROWTH = 4;
const MAX_SLAB_BYTES = 256 * 1024;

/** The bytes from `start` to `end` wait; behind `end` there is room. */
interface Slab {
  readonly memory: Buffer;
  start: number;
  end: number;
}

export class SendQueue {
  readonly #slabs: Slab[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Copies the bytes, so that the writer may use its memory again. */
  push(data: Buffer): void {
    let taken = 0;
    while (taken < data.length) {
      const slab = this.#roomFor(data.length - taken);
      const bytes = data.copy(slab.memory, slab.end, taken);
      slab.end += bytes;
      taken += bytes;
    }
    this.#bytes += data.length;
  }

  #roomFor(bytes: number): Slab {
    const last = this.#slabs.at(-1);
    if (last !== undefined && last.end < last.memory.length) return last;
    const ahead = Math.min(MAX_SLAB_BYTES, GROWTH * this.#bytes);
    const slab = { memory: Buffer.allocUnsafe(Math.max(bytes, ahead)), start: 0, end: 0 };
    this.#slabs.push(slab);
    return slab;
  }

  /** Takes `size` bytes, which are there, in one piece; nobody writes to it any more. */
  take(size: number): Buffer {
    const head = this.#slabs[0];
    if (head !== undefined && head.end - head.start >= size) return this.#cut(head, size);
    const bytes = Buffer.allocUnsafe(size);
    for (let filled = 0; filled < size; ) {
      const slab = this.#slabs[0]!;
      const part = this.#cut(slab, Math.min(slab.end - slab.start, size - filled));
      filled += part.copy(bytes, filled);
    }
    return bytes;
  }

  #cut(slab: Slab, size: number): Buffer {
    const part = slab.memory.subarray(slab.start, slab.start + size);
    slab.start += size;
    this.#bytes -= size;
    // Whoever idles holds no memory for what may come.
    if (slab.start === slab.end) this.#slabs.shift();
    return part;
  }
}
