// What a stream of a path carries below TLS: bytes, and leave to send more (README.md, "Direct paths"), since UDX
// hands over whatever arrives. Pure.

const HEAD_BYTES = 4;
const IS_CREDIT = 0x8000_0000;
const MAX_FRAME_BYTES = 0x7fff_ffff;

/** No more bytes follow in this direction; credit may. */
export function endFrame(): Buffer {
  return word(0);
}

/** The head of so many bytes that follow it, at least one. */
export function dataHead(bytes: number): Buffer {
  return word(bytes);
}

/** Lets the other side send so many bytes more, at least one. */
export function creditFrame(bytes: number): Buffer {
  return word((bytes | IS_CREDIT) >>> 0);
}

function word(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  bytes.writeUInt32BE(value);
  return bytes;
}

export interface FrameHandlers {
  /** A part of the bytes, in order; a piece of what was read. */
  readonly onData: (part: Buffer) => void;
  readonly onCredit: (bytes: number) => void;
  readonly onEnd: () => void;
}

/** Takes a stream of frames apart as it comes. */
export class FrameReader {
  readonly #handlers: FrameHandlers;
  /** What is left of the data of the current frame. */
  #left = 0;
  #word = 0;
  #wordBytes = 0;

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers;
  }

  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const part = chunk.subarray(at, at + this.#left);
        this.#left -= part.length;
        at += part.length;
        this.#handlers.onData(part);
      } else {
        this.#readHead(chunk[at]!);
        at += 1;
      }
    }
  }

  #readHead(byte: number): void {
    this.#word = ((this.#word << 8) | byte) >>> 0;
    this.#wordBytes += 1;
    if (this.#wordBytes < HEAD_BYTES) return;
    const value = this.#word & MAX_FRAME_BYTES;
    const isCredit = this.#word >= IS_CREDIT;
    this.#word = 0;
    this.#wordBytes = 0;
    if (isCredit) this.#handlers.onCredit(value);
    else if (value === 0) this.#handlers.onEnd();
    else this.#left = value;
  }
}
