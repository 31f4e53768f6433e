// Reads one answer in HTTP/1.x from bytes, strictly: what a careful client takes for whole, and nothing else.

import type { Head } from './plan.js';

type State = 'head' | 'data' | 'size' | 'chunk' | 'chunk-end' | 'trailers' | 'until-end' | 'done';

export class AnswerReader {
  readonly interim: Head[] = [];
  head: Head | undefined;
  readonly trailers: string[] = [];
  /** Why this is no HTTP, if so. */
  wrong: string | undefined;
  /** The answer says that the connection ends behind it. */
  closes = false;
  readonly #method: string;
  readonly #parts: Buffer[] = [];
  #state: State = 'head';
  #bytes: Buffer = Buffer.alloc(0);
  #left = 0;

  constructor(method: string) {
    this.#method = method;
  }

  get body(): Buffer {
    return Buffer.concat(this.#parts);
  }

  get isDone(): boolean {
    return this.#state === 'done' || this.wrong !== undefined;
  }

  /** What belongs to whatever comes behind. */
  get rest(): Buffer {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    while (!this.isDone && this.#step());
  }

  /** The connection has ended in order. */
  end(): void {
    if (this.#state === 'until-end') this.#state = 'done';
  }

  /** True where there may be more to do with what is there. */
  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'size':
        return this.#readSize();
      case 'trailers':
        return this.#readTrailers();
      case 'chunk-end':
        return this.#readChunkEnd();
      default:
        return this.#readData();
    }
  }

  #readHead(): boolean {
    const at = this.#bytes.indexOf('\r\n\r\n');
    if (at < 0) return false;
    const [line = '', ...lines] = this.#take(at + 4)
      .toString('latin1')
      .slice(0, -4)
      .split('\r\n');
    const match = /^HTTP\/1\.1 (\d{3}) \P{Cc}*$/u.exec(line);
    const head = { status: Number(match?.[1]), fields: this.#fields(lines) };
    if (match === null) this.wrong = `status line ${JSON.stringify(line)}`;
    else if (head.status < 200 && head.status !== 101) this.interim.push(head);
    else this.#begin(head);
    return true;
  }

  #begin(head: Head): void {
    this.head = head;
    const { status, fields } = head;
    const coding = all(fields, 'transfer-encoding');
    const lengths = all(fields, 'content-length');
    this.closes = all(fields, 'connection').join().toLowerCase().includes('close');
    if (this.#method === 'HEAD' || status === 204 || status === 304 || status === 101) {
      this.#state = 'done';
    } else if (coding.length > 0) {
      this.#state = 'size';
      if (coding.join() !== 'chunked' || lengths.length > 0)
        this.wrong = `coding ${coding}, ${lengths}`;
    } else if (lengths.length > 0) {
      if (lengths.length > 1 || !/^\d+$/.test(lengths[0]!)) this.wrong = `lengths ${lengths}`;
      this.#left = Number(lengths[0]);
      this.#state = this.#left === 0 ? 'done' : 'data';
    } else {
      this.#state = 'until-end';
    }
  }

  #readSize(): boolean {
    const at = this.#bytes.indexOf('\r\n');
    if (at < 0) return false;
    const text = this.#take(at + 2)
      .toString('latin1')
      .slice(0, -2);
    if (!/^[0-9a-f]+$/i.test(text)) this.wrong = `chunk size ${JSON.stringify(text)}`;
    this.#left = Number.parseInt(text, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #readData(): boolean {
    if (this.#bytes.length === 0) return false;
    const isOpen = this.#state === 'until-end';
    const part = this.#take(isOpen ? this.#bytes.length : Math.min(this.#left, this.#bytes.length));
    this.#parts.push(part);
    if (isOpen) return false;
    this.#left -= part.length;
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'done';
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.#bytes.length < 2) return false;
    if (this.#take(2).toString() !== '\r\n') this.wrong = 'no line end behind a chunk';
    this.#state = 'size';
    return true;
  }

  #readTrailers(): boolean {
    const at = this.#bytes.indexOf('\r\n');
    if (at < 0) return false;
    const line = this.#take(at + 2)
      .toString('latin1')
      .slice(0, -2);
    if (line === '') this.#state = 'done';
    else this.trailers.push(...this.#fields([line]));
    return true;
  }

  #fields(lines: readonly string[]): string[] {
    return lines.flatMap((line) => {
      const match = /^([!#$%&'*+.^_`|~0-9a-z-]+): ?((?:\t|\P{Cc})*)$/iu.exec(line);
      if (match === null) this.wrong = `field ${JSON.stringify(line.slice(0, 80))}`;
      return [match?.[1] ?? '', (match?.[2] ?? '').trim()];
    });
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}

export function all(fields: readonly string[], name: string): string[] {
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1]!.toLowerCase() === name);
}
