// Frames of bytes to checked messages. Nothing is allocated by a length that wasn't checked against what is there. Pure.

import { NwsError } from '../../errors.js';
import { MAX_TEXT } from './fields.js';
import {
  DELAY,
  FIN,
  FRAME_MARK,
  FRAME_TYPES,
  HAVE,
  KEY_BYTES,
  LAST,
  OFFERS_DIRECT,
} from './frame.js';
import {
  type Ack,
  type Connect,
  type ConnectR,
  type Data,
  type Decoded,
  MAX_RANGES,
  type Message,
  type Open,
  type Path,
  type Range,
  type Reset,
} from './message.js';
import { readPath, splitList } from './path.js';
import { readVarint, varintLength } from './varint.js';

const SECRET_BYTES = 32;

/** Whether the plaintext of a message event is a frame, and not JSON. */
export function isFrame(plaintext: Buffer): boolean {
  return plaintext[0] === FRAME_MARK;
}

/**
 * Reads a frame. A message that can't be read, or of a type that isn't known, is left out and counted.
 * The data of messages may be parts of `frame`, which then must not change.
 * @throws NwsError `bad_message` where the messages' lengths lead out of the frame.
 */
export function decodeFrame(frame: Buffer): Decoded {
  if (!isFrame(frame)) throw bad('not a frame');
  const messages: Message[] = [];
  let invalid = 0;
  const reader = new Reader(frame, 1, frame.length);
  while (reader.hasMore) {
    const type = FRAME_TYPES[reader.byte()];
    const body = reader.part();
    try {
      messages.push(readMessage(type, body));
    } catch {
      invalid += 1;
    }
  }
  return { messages, invalid };
}

/** What stands behind the last field that we know is ignored. */
function readMessage(type: (typeof FRAME_TYPES)[number], body: Reader): Message {
  const key = body.key();
  switch (type) {
    case 'CONNECT':
      return { type, key, ...opening(body) };
    case 'CONNECTR':
      return { type, key, ...opening(body), entryPublicAddress: body.text(), ...secret(body) };
    case 'OPEN':
      return { type, key, v: body.number(), window: body.number(), ...offer(body) };
    case 'PATH':
      return { type, key, ...secret(body), ...path(body) };
    case 'DATA':
      return { type, key, ...data(body) };
    case 'ACK':
      return { type, key, ...acknowledgement(body) };
    case 'RESET':
      return { type, key, ...reason(body) };
    case 'PING':
    case 'PONG':
      return { type, key };
    default:
      throw bad('type is unknown');
  }
}

function opening(body: Reader): Omit<Connect, 'type' | 'key'> {
  const v = body.number();
  if (v < 1) throw bad('v is 0');
  return { v, window: body.number(), destination: body.text() };
}

function offer(body: Reader): Pick<Open, 'direct'> {
  const flags = body.hasMore ? body.byte() : 0;
  return (flags & OFFERS_DIRECT) === 0 ? {} : { direct: true };
}

function path(body: Reader): Pick<Path, 'candidates' | 'stun'> {
  return readPath({ candidates: splitList(body.text()), stun: splitList(body.text()) });
}

function secret(body: Reader): Pick<ConnectR, 'secret'> {
  const bytes = body.blob();
  if (bytes.length === 0) return {};
  if (bytes.length !== SECRET_BYTES) throw bad('secret is not 32 bytes long');
  return { secret: Buffer.from(bytes) };
}

function data(body: Reader): Omit<Data, 'type' | 'key'> {
  const flags = body.byte();
  if (flags > (FIN | HAVE | LAST | DELAY)) throw bad('DATA has flags that are unknown');
  const offset = body.number();
  const numbers = { ack: body.number(), window: body.number() };
  const delay = (flags & DELAY) === 0 ? undefined : body.number();
  const have = (flags & HAVE) === 0 ? undefined : ranges(body);
  const bytes = body.rest();
  if (offset + bytes.length >= Number.MAX_SAFE_INTEGER) throw bad('offset is too large');
  const said = {
    ...((flags & LAST) !== 0 && { last: true }),
    ...(delay !== undefined && { delay }),
    ...(have && { have }),
  };
  return { offset, data: bytes, ...numbers, fin: (flags & FIN) !== 0, ...said };
}

function acknowledgement(body: Reader): Omit<Ack, 'type' | 'key'> {
  const numbers = { ack: body.number(), window: body.number() };
  const have = ranges(body);
  const delay = body.hasMore ? { delay: body.number() } : {};
  return { ...numbers, ...delay, ...(have.length > 0 && { have }) };
}

function ranges(body: Reader): Range[] {
  const count = body.number();
  if (count > MAX_RANGES) throw bad('have is too long');
  const found: Range[] = [];
  for (let left = count; left > 0; left -= 1) {
    const from = body.number();
    const to = body.number();
    if (from >= to) throw bad('have holds an empty range');
    found.push([from, to]);
  }
  return found;
}

function reason(body: Reader): Omit<Reset, 'type' | 'key'> {
  const error = body.text();
  const detail = body.text();
  return { error, ...(detail !== '' && { detail }) };
}

/** A part of a frame, read from front to back; whatever would lead out of it throws. */
class Reader {
  readonly #frame: Buffer;
  readonly #end: number;
  #at: number;

  constructor(frame: Buffer, start: number, end: number) {
    this.#frame = frame;
    this.#at = start;
    this.#end = end;
  }

  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** Where the next `bytes` start. */
  #take(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#end - start) throw bad('frame is cut short');
    this.#at = start + bytes;
    return start;
  }

  byte(): number {
    return this.#frame[this.#take(1)]!;
  }

  number(): number {
    const start = this.#take(1);
    const length = varintLength(this.#frame[start]!);
    this.#take(length - 1);
    const value = readVarint(this.#frame, start, length);
    if (value > Number.MAX_SAFE_INTEGER) throw bad('a number is over 2^53 - 1');
    return value;
  }

  /** As many bytes as the number in front of them says. */
  part(): Reader {
    const length = this.number();
    const start = this.#take(length);
    return new Reader(this.#frame, start, start + length);
  }

  /** The same, as bytes of the frame. */
  blob(): Buffer {
    const length = this.number();
    const start = this.#take(length);
    return this.#frame.subarray(start, start + length);
  }

  text(): string {
    const text = this.blob().toString();
    if (text.length > MAX_TEXT) throw bad(`a text is longer than ${MAX_TEXT} characters`);
    return text;
  }

  /** In the form of a UUID, lower case. */
  key(): string {
    const start = this.#take(KEY_BYTES);
    const hex = this.#frame.toString('hex', start, start + KEY_BYTES);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** Everything that is left; a copy where it is little, since it would hold the whole frame in memory. */
  rest(): Buffer {
    const bytes = this.#frame.subarray(this.#at, this.#end);
    return bytes.length < this.#frame.length / 2 ? Buffer.from(bytes) : bytes;
  }
}

function bad(message: string): NwsError {
  return new NwsError('bad_message', message);
}
