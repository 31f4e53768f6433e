// Messages as bytes, between peers that both speak version 2 of reliable streams. Writes frames and knows their
// sizes; frame-reader.ts reads them. The layout is in ../README.md, "Frames". Pure.

import type { Data, Message, Range } from './message.js';
import { joinList } from './path.js';
import { bodyRoom, MAX_VARINT_BYTES, varintBytes, writeVarint } from './varint.js';

/** First byte of a frame; no JSON text begins with it. */
export const FRAME_MARK = 2;
/** Bytes of a frame without messages. */
export const EMPTY_FRAME_BYTES = 1;
export const KEY_BYTES = 16;

/** By their place: the number that stands for a type. 0 is none. */
export const FRAME_TYPES = [
  ...[undefined, 'CONNECT', 'CONNECTR', 'OPEN', 'DATA', 'ACK', 'RESET', 'PING', 'PONG', 'PATH'],
] as const;
const NUMBERS = new Map(FRAME_TYPES.map((type, number) => [type, number]));

/** In the flags of DATA. */
export const FIN = 1;
export const HAVE = 2;
export const LAST = 4;
export const DELAY = 8;

/** In the flags of OPEN, which are left out where they are 0. */
export const OFFERS_DIRECT = 1;

/** One range of `have`, at the most. */
export const RANGE_BYTES = 2 * MAX_VARINT_BYTES;
/** The body of DATA around its bytes and its ranges, at the most: key, flags, three offsets, a delay. */
const DATA_HEAD_BYTES = KEY_BYTES + 1 + 4 * MAX_VARINT_BYTES;

/** Bytes of this message in a frame, exactly. */
export function frameMessageBytes(message: Message): number {
  const body = bodyBytes(message);
  return 1 + varintBytes(body) + body;
}

/** The most data for a DATA message of so many bytes, whatever its numbers are; below 0 where there is room for none. */
export function frameDataBytes(room: number, ranges: number): number {
  return bodyRoom(room - 1) - DATA_HEAD_BYTES - (ranges > 0 ? 1 + ranges * RANGE_BYTES : 0);
}

/**
 * Writes messages as one frame.
 * @param memory to write into, where there is some and it is enough
 * @throws Error for data without an offset, which goes to peers of NIP-443 alone.
 */
export function encodeFrame(messages: readonly Message[], memory?: Buffer): Buffer {
  let size = EMPTY_FRAME_BYTES;
  for (const message of messages) size += frameMessageBytes(message);
  const isEnough = memory !== undefined && memory.length >= size;
  const frame = isEnough ? memory.subarray(0, size) : Buffer.allocUnsafe(size);
  let at = frame.writeUInt8(FRAME_MARK, 0);
  for (const message of messages) {
    at = frame.writeUInt8(NUMBERS.get(message.type as never)!, at);
    at = writeVarint(frame, at, bodyBytes(message));
    at = writeKey(frame, at, message.key);
    at = writeBody(frame, at, message);
  }
  return frame;
}

function bodyBytes(message: Message): number {
  switch (message.type) {
    case 'CONNECT':
    case 'CONNECTR': {
      const { v = 0, window = 0, destination } = message;
      const opening = varintBytes(v) + varintBytes(window) + textBytes(destination);
      if (message.type === 'CONNECT') return KEY_BYTES + opening;
      const { entryPublicAddress, secret } = message;
      return KEY_BYTES + opening + textBytes(entryPublicAddress) + blobBytes(secret?.length ?? 0);
    }
    case 'OPEN':
      return (
        KEY_BYTES + varintBytes(message.v) + varintBytes(message.window) + (message.direct ? 1 : 0)
      );
    case 'PATH': {
      const { secret, candidates, stun } = message;
      const lists = textBytes(joinList(candidates)) + textBytes(joinList(stun));
      return KEY_BYTES + blobBytes(secret?.length ?? 0) + lists;
    }
    case 'DATA': {
      const { offset, ack, window, delay, have, data } = message;
      const ranges = have?.length ? rangesBytes(have) : 0;
      const numbers = varintBytes(offset) + varintBytes(ack) + varintBytes(window);
      return KEY_BYTES + 1 + numbers + delayBytes(delay) + ranges + data.length;
    }
    case 'ACK': {
      const { ack, window, have = [], delay } = message;
      const numbers = varintBytes(ack) + varintBytes(window) + delayBytes(delay);
      return KEY_BYTES + numbers + rangesBytes(have);
    }
    case 'RESET':
      return KEY_BYTES + textBytes(message.error) + textBytes(message.detail ?? '');
    case 'PING':
    case 'PONG':
      return KEY_BYTES;
    case 'PLAIN':
      throw new Error('plain data has no place in a frame');
  }
}

function writeBody(frame: Buffer, start: number, message: Message): number {
  let at = start;
  switch (message.type) {
    case 'CONNECT':
    case 'CONNECTR':
      at = writeVarint(frame, at, message.v ?? 0);
      at = writeVarint(frame, at, message.window ?? 0);
      at = writeText(frame, at, message.destination);
      if (message.type === 'CONNECT') return at;
      at = writeText(frame, at, message.entryPublicAddress);
      return writeBlob(frame, at, message.secret ?? NOTHING);
    case 'OPEN':
      at = writeVarint(frame, at, message.v);
      at = writeVarint(frame, at, message.window);
      return message.direct ? frame.writeUInt8(OFFERS_DIRECT, at) : at;
    case 'PATH':
      at = writeBlob(frame, at, message.secret ?? NOTHING);
      at = writeText(frame, at, joinList(message.candidates));
      return writeText(frame, at, joinList(message.stun));
    case 'DATA': {
      const { data, have, delay } = message;
      at = frame.writeUInt8(flagsOf(message), at);
      at = writeVarint(frame, at, message.offset);
      at = writeVarint(frame, at, message.ack);
      at = writeVarint(frame, at, message.window);
      if (delay !== undefined) at = writeVarint(frame, at, delay);
      if (have?.length) at = writeRanges(frame, at, have);
      frame.set(data, at);
      return at + data.length;
    }
    case 'ACK':
      at = writeVarint(frame, at, message.ack);
      at = writeVarint(frame, at, message.window);
      at = writeRanges(frame, at, message.have ?? []);
      return message.delay === undefined ? at : writeVarint(frame, at, message.delay);
    case 'RESET':
      at = writeText(frame, at, message.error);
      return writeText(frame, at, message.detail ?? '');
    default:
      return at;
  }
}

function flagsOf({ fin, have, last, delay }: Data): number {
  const ranges = have?.length ? HAVE : 0;
  return (fin ? FIN : 0) | ranges | (last ? LAST : 0) | (delay === undefined ? 0 : DELAY);
}

function delayBytes(delay: number | undefined): number {
  return delay === undefined ? 0 : varintBytes(delay);
}

const NOTHING = Buffer.alloc(0);

function writeKey(frame: Buffer, at: number, key: string): number {
  return at + frame.write(key.replaceAll('-', ''), at, KEY_BYTES, 'hex');
}

function blobBytes(length: number): number {
  return varintBytes(length) + length;
}

function textBytes(text: string): number {
  return blobBytes(Buffer.byteLength(text));
}

function writeBlob(frame: Buffer, at: number, bytes: Uint8Array): number {
  const start = writeVarint(frame, at, bytes.length);
  frame.set(bytes, start);
  return start + bytes.length;
}

function writeText(frame: Buffer, at: number, text: string): number {
  return writeBlob(frame, at, Buffer.from(text));
}

function rangesBytes(ranges: readonly Range[]): number {
  let bytes = varintBytes(ranges.length);
  for (const [from, to] of ranges) bytes += varintBytes(from) + varintBytes(to);
  return bytes;
}

function writeRanges(frame: Buffer, start: number, ranges: readonly Range[]): number {
  let at = writeVarint(frame, start, ranges.length);
  for (const [from, to] of ranges) at = writeVarint(frame, writeVarint(frame, at, from), to);
  return at;
}
