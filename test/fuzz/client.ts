// A client on a raw connection: writes requests as planned, reads fast, slowly or not to the end, and says what it saw.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { AnswerReader } from './answer-reader.js';
import { type Exchange, type Group, pathOf, type Sight } from './plan.js';

/** What a client has seen of one exchange. */
export interface View extends Partial<Omit<Sight, 'trailers'>> {
  readonly interim: Sight['interim'];
  readonly body: Buffer;
  readonly trailers: readonly string[];
  /** `left`: by the client itself; `broken`: the connection ended before the answer did. */
  readonly end: 'whole' | 'broken' | 'left';
  /** Why this is no HTTP, if so. */
  readonly wrong?: string | undefined;
  /** Everything that was to be sent was. */
  readonly hasSentAll: boolean;
}

/** Where clients connect, and what stands in front of the path. */
export interface Door {
  open(): Promise<Duplex>;
  readonly prefix: string;
  readonly host: string;
}

/** How long a client waits for 100 Continue. */
const CONTINUE_MS = 40;

/** Runs a group's exchanges on a connection, and on others where that one ends. */
export async function runGroup(
  door: Door,
  group: Group,
  onView: (exchange: Exchange, view: View) => void,
): Promise<void> {
  let line: Line | undefined;
  const { exchanges } = group;
  for (const [at, exchange] of exchanges.entries()) {
    const isNew = line === undefined;
    line ??= new Line(await door.open());
    if (isNew && group.isPipelined) {
      line.write(Buffer.concat(exchanges.slice(at).map((each) => requestHead(door, each))));
    }
    const view = await line.exchange(exchange, door, group.isPipelined);
    // Nothing came of it since the connection ended behind an earlier answer: asked again, as clients do.
    const isUntouched = view.end === 'broken' && view.head === undefined && !isNew;
    if (isUntouched && group.isPipelined) {
      line.leave('fin');
      line = new Line(await door.open());
      line.write(requestHead(door, exchange));
      onView(exchange, await line.exchange(exchange, door, true));
    } else onView(exchange, view);
    if (!line.isUsable || view.end !== 'whole') {
      line.leave('fin');
      line = undefined;
    }
  }
  line?.leave('fin');
}

class Line {
  isUsable = true;
  readonly #stream: Duplex;
  #rest: Buffer = Buffer.alloc(0);
  #end: 'fin' | 'reset' | undefined;
  #isLeft = false;
  #onContinue: () => void = () => undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.#end ??= 'reset';
    });
    stream.on('end', () => {
      this.#end ??= 'fin';
    });
  }

  write(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  leave(how: 'fin' | 'reset'): void {
    this.#isLeft = true;
    const { _parent: parent } = this.#stream as { _parent?: Duplex };
    if (how === 'reset' && parent === undefined) (this.#stream as Socket).resetAndDestroy();
    else this.#stream.destroy();
  }

  async exchange(exchange: Exchange, door: Door, isSent: boolean): Promise<View> {
    const { request, habit } = exchange;
    const reader = new AnswerReader(request.method);
    const timer =
      habit.leavesAfterMs === undefined
        ? undefined
        : setTimeout(() => this.leave(habit.leavesBy), habit.leavesAfterMs);
    const sent = isSent ? Promise.resolve(true) : this.#send(exchange, door, reader);
    await this.#read(exchange, reader);
    this.#onContinue();
    clearTimeout(timer);
    if (!reader.isDone || reader.closes || habit.endsEarly || request.version === '1.0') {
      this.isUsable = false;
    }
    // What was answered early is still sent, unless nobody takes it any more.
    if (!this.isUsable)
      this.#stream.destroyed || this.#end !== undefined || (await this.#drop(sent));
    const hasSentAll = this.isUsable ? await sent : false;
    if (!hasSentAll) this.isUsable = false;
    this.#rest = reader.rest;
    const { interim, head, body, trailers, wrong } = reader;
    const end = reader.isDone && wrong === undefined ? 'whole' : this.#isLeft ? 'left' : 'broken';
    return { interim, ...(head && { head }), body, trailers, wrong, end, hasSentAll };
  }

  async #drop(sent: Promise<boolean>): Promise<void> {
    await Promise.race([sent, this.#gone()]);
  }

  async #gone(): Promise<void> {
    if (!this.#stream.destroyed && this.#end === undefined) {
      await Promise.race([once(this.#stream, 'close'), once(this.#stream, 'end')]).catch(() => 0);
    }
  }

  /** True when the whole request is out. */
  async #send(exchange: Exchange, door: Door, reader: AnswerReader): Promise<boolean> {
    const { request, habit } = exchange;
    const head = requestHead(door, exchange);
    if (request.expectsContinue) {
      this.write(head);
      await this.#continued();
      if (reader.head !== undefined) return false;
    }
    const body = request.framing === 'chunked' ? inChunks(request.body) : request.body;
    const upload = body.subarray(0, habit.uploadsOnly);
    const all = request.expectsContinue ? upload : Buffer.concat([head, upload]);
    const size = Math.ceil(all.length / request.pieces) || 1;
    for (let at = 0; at < all.length; at += size) {
      if (this.#stream.destroyed) return false;
      if (!this.#stream.write(all.subarray(at, at + size))) await this.#drained();
      if (at + size < all.length) await turn();
    }
    if (habit.uploadsOnly !== undefined) this.leave(habit.leavesBy);
    else if (habit.endsEarly) this.#stream.end();
    return habit.uploadsOnly === undefined;
  }

  async #continued(): Promise<void> {
    const timer = setTimeout(() => this.#onContinue(), CONTINUE_MS);
    await new Promise<void>((resolve) => (this.#onContinue = resolve));
    clearTimeout(timer);
  }

  async #drained(): Promise<void> {
    const { promise, resolve } = withResolvers();
    this.#stream.once('drain', resolve).once('close', resolve);
    await promise;
    this.#stream.off('drain', resolve).off('close', resolve);
  }

  async #read({ habit }: Exchange, reader: AnswerReader): Promise<void> {
    let bytes = 0;
    const isSlow = habit.reading === 'slow';
    if (this.#rest.length > 0) reader.push(this.#rest);
    while (!reader.isDone) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk === null) {
        if (this.#end === 'fin') reader.end();
        if (this.#end !== undefined || this.#isLeft) return;
        await this.#readable();
        continue;
      }
      reader.push(chunk);
      if (reader.interim.length > 0 || reader.head !== undefined) this.#onContinue();
      bytes += chunk.length;
      if (bytes >= (habit.leavesAtBytes ?? Number.POSITIVE_INFINITY)) this.leave(habit.leavesBy);
      if (isSlow) await pause(2);
    }
  }

  async #readable(): Promise<void> {
    const { promise, resolve } = withResolvers();
    this.#stream.once('readable', resolve).once('end', resolve).once('close', resolve);
    await promise;
    this.#stream.off('readable', resolve).off('end', resolve).off('close', resolve);
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

function requestHead({ prefix, host }: Door, exchange: Exchange): Buffer {
  const { method, version, fields, framing, body, ...rest } = exchange.request;
  const lines = [`${method} ${prefix}${pathOf(exchange)} HTTP/${version}`, `Host: ${host}`];
  for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`);
  if (framing === 'length') lines.push(`Content-Length: ${body.length}`);
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked');
  if (rest.expectsContinue) lines.push('Expect: 100-continue');
  if (rest.wantsTrailers) lines.push('TE: trailers', 'Connection: TE');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function inChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += 4_000) {
    const part = body.subarray(at, at + 4_000);
    parts.push(Buffer.from(`${part.length.toString(16)};x=y\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}
