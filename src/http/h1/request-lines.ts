// What node:http's parser refuses of a request line although clients send it: a method of nobody's list, and bytes
// over 0x7f in the target. It sees another method in their place, and the bytes percent-encoded.
//
// Only the first line of what comes while no request is under way is looked at: pipelined ones pass as they are.

import { type IncomingMessage, METHODS } from 'node:http';
import type { Duplex } from 'node:stream';
import { hasBody } from '../headers.js';

/** Stands for any method: to the parser it is one like another. */
const STAND_IN = 'REPORT';
const KNOWN = new Set([...METHODS, 'PRI']);
/** A method and the beginning of its target, behind the empty lines that may come first (RFC 9112, section 2.2). */
const START = /^([\r\n]*)([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) (?=[/*h])/;
const LINE_FEED = 0x0a;

const watched = new WeakMap<Duplex, RequestLines>();

export class RequestLines {
  readonly #socket: Duplex;
  /** What they were before. */
  readonly #own: Pick<Duplex, 'push' | 'unshift'>;
  #isInLine = true;
  #isAtStart = true;
  #method: string | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
    watched.set(socket, this);
    const { push, unshift } = socket;
    this.#own = { push, unshift };
    socket.push = (chunk, encoding) => push.call(socket, this.#mend(chunk), encoding);
    socket.unshift = (chunk, encoding) => unshift.call(socket, this.#mend(chunk), encoding);
    // node:http's parser reads a TCP socket by itself until somebody else listens.
    const listen = (): void => undefined;
    socket.on('data', listen).off('data', listen);
  }

  static of(socket: Duplex): RequestLines | undefined {
    return watched.get(socket);
  }

  /** A request has been read as far as its head: gives it its own method back. */
  onHead(req: IncomingMessage): void {
    if (this.#method !== undefined) req.method = this.#method;
    this.#method = undefined;
    if (hasBody(req)) req.once('end', this.#next);
    else this.#next();
  }

  /** What comes from here on is no HTTP any more. */
  stop(): void {
    watched.delete(this.#socket);
    Object.assign(this.#socket, this.#own);
  }

  readonly #next = (): void => {
    this.#isInLine = true;
    this.#isAtStart = true;
  };

  #mend(chunk: Buffer | null): Buffer | null {
    if (!this.#isInLine || !Buffer.isBuffer(chunk) || chunk.length === 0) return chunk;
    const start = this.#isAtStart ? START.exec(chunk.toString('latin1', 0, 80)) : null;
    const behindBlank = start === null ? 0 : start[1]!.length;
    this.#isAtStart = false;
    const end = chunk.indexOf(LINE_FEED, behindBlank);
    this.#isInLine = end === -1;
    const line = chunk.subarray(0, end === -1 ? chunk.length : end);
    const mended = this.#withKnownMethod(line.toString('latin1'), start).replace(
      /[\x80-\xff]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    return Buffer.concat([Buffer.from(mended, 'latin1'), chunk.subarray(line.length)]);
  }

  #withKnownMethod(line: string, start: RegExpExecArray | null): string {
    const [, blank = '', method = ''] = start ?? [];
    if (start === null || KNOWN.has(method)) return line;
    this.#method = method;
    return blank + STAND_IN + line.slice(blank.length + method.length);
  }
}
