// One end of a stream at a stand-in entry, as a Duplex: what is written leaves in pieces, one after the other. It
// never says that it has ended, since NIP-443 has no word for that.

import { Duplex } from 'node:stream';

/** What a message may carry so that the event stays below 65,536 bytes. */
export const PIECE_BYTES = 30_000;

export interface StreamEndOptions {
  /** Resolves when the relays have the piece. */
  readonly send: (piece: Buffer) => Promise<void>;
  readonly onClose: () => void;
}

export class StreamEnd extends Duplex {
  readonly #options: StreamEndOptions;

  constructor(options: StreamEndOptions) {
    super();
    this.#options = options;
  }

  /** Bytes of the other side. */
  receive(data: Buffer): void {
    this.push(data);
  }

  override _read(): void {
    // What comes is pushed when it comes.
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error) => void): void {
    this.#sendAll(chunk).then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#options.onClose();
    callback(error);
  }

  async #sendAll(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      await this.#options.send(chunk.subarray(at, at + PIECE_BYTES));
    }
  }
}
