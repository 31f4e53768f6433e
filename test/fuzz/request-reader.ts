// Reads requests from a raw socket, strictly: whatever a proxy sends to an origin has to be well-formed.

import type { Socket } from 'node:net';
import type { Seen } from './origin.js';
import type { Request } from './plan.js';

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
  readonly expectsContinue: boolean;
}

export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0);
  #isOver = false;
  #wake: (() => void)[] = [];
  #bodyBytes = 0;

  constructor(socket: Socket) {
    const over = (): void => {
      this.#isOver = true;
      this.#tell();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#tell();
    });
    socket.on('end', over).on('close', over).on('error', over);
  }

  /** The next head; undefined where none comes any more. */
  async head(): Promise<RequestHead | undefined> {
    this.#bodyBytes = 0;
    const text = await this.#until('\r\n\r\n');
    if (text === undefined) return undefined;
    const [line = '', ...lines] = text.toString('latin1').split('\r\n');
    const [method = '', path = ''] = line.split(' ');
    const fields = lines.flatMap((each) => {
      const colon = each.indexOf(':');
      return [each.slice(0, colon), each.slice(colon + 1).trim()];
    });
    return {
      method,
      path,
      fields,
      expectsContinue: /^100-continue$/im.test(joined(fields, 'expect')),
    };
  }

  /** Reads the body and notes what became of it. */
  async body(request: Request, head: RequestHead, seen: Seen): Promise<void> {
    seen.wrong ??= mistake(request, head);
    const parts: Buffer[] = [];
    const take = async (length: number): Promise<boolean> => {
      for (let left = length; left > 0; ) {
        if (this.#bytes.length === 0 && !(await this.#more())) return false;
        const part = this.#bytes.subarray(0, left);
        this.#bytes = this.#bytes.subarray(part.length);
        left -= part.length;
        parts.push(part);
        seen.bodyBytes = this.#bodyBytes += part.length;
        this.#tell();
      }
      return true;
    };
    const chunked = joined(head.fields, 'transfer-encoding') === 'chunked';
    const isWhole = chunked
      ? await this.#chunks(take)
      : await take(Number(joined(head.fields, 'content-length') || 0));
    const body = Buffer.concat(parts);
    const { length } = body;
    if (!body.equals(request.body.subarray(0, length)))
      seen.wrong = `other bytes in the first ${length}`;
    if (isWhole && length !== request.body.length) seen.wrong = `${length} bytes that look whole`;
    seen.isWhole = isWhole;
    this.#tell();
  }

  async #chunks(take: (length: number) => Promise<boolean>): Promise<boolean> {
    for (;;) {
      const size = Number.parseInt((await this.#until('\r\n'))?.toString() ?? 'none', 16);
      if (Number.isNaN(size)) return false;
      if (size === 0) return (await this.#until('\r\n')) !== undefined;
      if (!(await take(size)) || (await this.#until('\r\n')) === undefined) return false;
    }
  }

  /** Resolves when so much of the body has come; false where it doesn't. */
  async hasRead(bytes: number): Promise<boolean> {
    while (this.#bodyBytes < bytes) if (!(await this.#more())) return false;
    return true;
  }

  async #until(mark: string): Promise<Buffer | undefined> {
    for (;;) {
      const at = this.#bytes.indexOf(mark);
      if (at >= 0) {
        const found = this.#bytes.subarray(0, at);
        this.#bytes = this.#bytes.subarray(at + mark.length);
        return found;
      }
      if (!(await this.#more())) return undefined;
    }
  }

  /** Resolves when something has changed; false where nothing comes any more. */
  async #more(): Promise<boolean> {
    if (this.#isOver) return false;
    await new Promise<void>((resolve) => this.#wake.push(resolve));
    return !this.#isOver || this.#bytes.length > 0;
  }

  #tell(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}

export function joined(fields: readonly string[], name: string): string {
  const found: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at]!.toLowerCase() === name) found.push(fields[at + 1]!);
  }
  return found.join();
}

/** What is wrong with a head, if anything. */
function mistake(request: Request, { method, fields }: RequestHead): string | undefined {
  if (method !== request.method) return `method ${method}`;
  const length = joined(fields, 'content-length');
  const coding = joined(fields, 'transfer-encoding');
  if (length !== '' && coding !== '') return 'a length beside chunked';
  if (!/^\d*$/.test(length) || !/^(chunked)?$/.test(coding)) return `framing ${length}${coding}`;
  const same = fields.flatMap((name, at) =>
    at % 2 === 0 && name.toLowerCase() === 'x-c' ? [fields[at + 1]!] : [],
  );
  const sent = request.fields.flatMap((name, at) =>
    at % 2 === 0 && name.toLowerCase() === 'x-c' ? [request.fields[at + 1]!] : [],
  );
  if (same.join('|') !== sent.join('|')) return `X-C: ${same.join('|')}`;
  return undefined;
}
