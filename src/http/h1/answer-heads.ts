// What even node:http's lenient parser refuses in an answer's head and RFC 9112 lets a recipient mend: one length said
// several times (section 6.3), and blanks before a colon (section 5.1). For an operator's own target alone.

import type { Duplex } from 'node:stream';
import { MAX_HEADER_BYTES } from '../../limits.js';

const HEAD_END = /\r?\n\r?\n/;
const HTTP = 'HTTP/';
const NO_BYTES = Buffer.alloc(0);

const mended = new WeakMap<Duplex, AnswerHeads>();

export class AnswerHeads {
  readonly #push: (chunk: Buffer | null) => boolean;
  #isInHead = false;
  #held: Buffer = NO_BYTES;

  constructor(socket: Duplex) {
    const { push } = socket;
    mended.set(socket, this);
    this.#push = (chunk) => push.call(socket, chunk);
    socket.push = (chunk: Buffer | null) => this.#take(chunk);
  }

  /** A request goes out on `socket`: what comes next is a head. */
  static expectOn(socket: Duplex): void {
    const heads = mended.get(socket);
    if (heads !== undefined) heads.#isInHead = true;
  }

  #take(chunk: Buffer | null): boolean {
    if (!this.#isInHead) return this.#push(chunk);
    const held = chunk === null ? this.#held : Buffer.concat([this.#held, chunk]);
    this.#held = NO_BYTES;
    if (chunk === null) {
      this.#isInHead = false;
      if (held.length > 0) this.#push(held);
      return this.#push(null);
    }
    return this.#takeHead(held);
  }

  #takeHead(bytes: Buffer): boolean {
    const text = bytes.toString('latin1', 0, MAX_HEADER_BYTES);
    const end = HEAD_END.exec(text);
    const isHttp = text.startsWith(HTTP.slice(0, text.length));
    if (isHttp && end === null && bytes.length < MAX_HEADER_BYTES) {
      this.#held = bytes;
      return true; // more of it is wanted
    }
    const isInterim = /^HTTP\/\d\.\d 1(?!01)/.test(text);
    this.#isInHead = isInterim && end !== null;
    if (!isHttp || end === null) return this.#push(bytes);
    const behind = end.index + end[0].length;
    const head = Buffer.from(mend(text.slice(0, behind)), 'latin1');
    const rest = bytes.subarray(behind);
    if (rest.length === 0 || !isInterim) return this.#push(Buffer.concat([head, rest]));
    this.#push(head);
    return this.#take(rest);
  }
}

function mend(head: string): string {
  const lengths = new Set<string>();
  const lines = head.split('\n').map((line) => line.replace(/^([^\s:]+)[ \t]+:/, '$1:'));
  const kept = lines.filter((line) => {
    const length = /^content-length:([^\r]*)/i.exec(line)?.[1]?.trim();
    if (length === undefined) return true;
    const isAgain = lengths.has(length);
    lengths.add(length);
    return !isAgain;
  });
  return kept.map(oneLength).join('\n');
}

/** `Content-Length: 5, 5` is 5. */
function oneLength(line: string): string {
  return line.replace(/^(content-length:)[ \t]*(\d+)(?:[ \t]*,[ \t]*\2)+(?=[ \t\r]*$)/i, '$1 $2');
}
