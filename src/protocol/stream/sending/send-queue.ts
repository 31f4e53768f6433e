// Bytes that were written and never sent yet, in order. Pure.

export class SendQueue {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(data: Buffer): void {
    if (data.length === 0) return;
    this.#chunks.push(data);
    this.#bytes += data.length;
  }

  /** Takes `size` bytes, which are there, as one buffer of their own. */
  take(size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    let filled = 0;
    while (filled < size) {
      const head = this.#chunks[0]!;
      const part = head.subarray(0, size - filled);
      part.copy(bytes, filled);
      filled += part.length;
      if (part.length === head.length) this.#chunks.shift();
      else this.#chunks[0] = head.subarray(part.length);
    }
    this.#bytes -= size;
    return bytes;
  }
}
