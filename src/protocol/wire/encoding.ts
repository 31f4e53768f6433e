// How the messages of one event become its plaintext: as JSON, which every peer of reliable streams reads, or as a frame
// of bytes, a third smaller. Reads either. Pure.

import { JSON_WINDOW_BYTES, STREAM_WINDOW_BYTES } from '../../limits.js';
import {
  EMPTY_FRAME_BYTES,
  encodeFrame,
  frameDataBytes,
  frameMessageBytes,
  RANGE_BYTES,
} from './frame.js';
import { decodeFrame, isFrame } from './frame-reader.js';
import { type Decoded, decodeMessages, encodeMessage, type Message } from './message.js';

/** First version of reliable streams whose speakers read frames. */
export const FRAMES_VERSION = 2;

export interface Encoding {
  /** What stands around all messages, in bytes. */
  readonly emptyBytes: number;
  /** What a stream's window may be for a peer that writes this, in bytes: so that its events are no flood at a relay. */
  readonly maxWindowBytes: number;
  /** One range of `have`, at the most. */
  readonly rangeBytes: number;
  /** What a message adds to the plaintext, in bytes; not less, and exact for data. */
  messageBytes(message: Message): number;
  /** The most data for a DATA message of so many bytes, whatever its numbers are; below 0 where there is room for none. */
  dataBytes(room: number, ranges: number): number;
  /** @param memory that may be written into, and be a part of what is returned */
  encode(messages: readonly Message[], memory?: Buffer): Buffer;
}

/** DATA in JSON around its base64 and its ranges, with the comma, all numbers at their longest. */
const JSON_HEAD_BYTES = jsonBytes({
  type: 'DATA',
  key: '00000000-0000-0000-0000-000000000000',
  offset: Number.MAX_SAFE_INTEGER,
  ack: Number.MAX_SAFE_INTEGER,
  window: Number.MAX_SAFE_INTEGER,
  fin: true,
  last: true,
  delay: Number.MAX_SAFE_INTEGER,
  data: Buffer.alloc(0),
});
const JSON_HAVE_BYTES = ',"have":[]'.length;

/** An array, also of one message: a peer of NIP-443 must not understand it. */
export const JSON_ENCODING: Encoding = {
  maxWindowBytes: JSON_WINDOW_BYTES,
  emptyBytes: 1, // each message brings its comma, the last one the bracket instead
  rangeBytes: `[${Number.MAX_SAFE_INTEGER},${Number.MAX_SAFE_INTEGER}],`.length,
  messageBytes: jsonBytes,
  dataBytes(room, ranges) {
    const have = ranges > 0 ? JSON_HAVE_BYTES + ranges * this.rangeBytes : 0;
    return Math.floor((room - JSON_HEAD_BYTES - have) / 4) * 3;
  },
  encode: (messages) => Buffer.from(`[${messages.map(encodeMessage).join(',')}]`),
};

export const FRAMES: Encoding = {
  maxWindowBytes: STREAM_WINDOW_BYTES,
  emptyBytes: EMPTY_FRAME_BYTES,
  rangeBytes: RANGE_BYTES,
  messageBytes: frameMessageBytes,
  dataBytes: frameDataBytes,
  encode: encodeFrame,
};

/** Reads the plaintext of a message event; see `decodeFrame` and `decodeMessages`. */
export function decodePlaintext(plaintext: Buffer): Decoded & { readonly isFrame: boolean } {
  if (isFrame(plaintext)) return { ...decodeFrame(plaintext), isFrame: true };
  return { ...decodeMessages(plaintext.toString()), isFrame: false };
}

function jsonBytes(message: Message): number {
  if (message.type !== 'DATA') return Buffer.byteLength(encodeMessage(message)) + ','.length;
  const { data } = message;
  const around = encodeMessage({ ...message, data: Buffer.alloc(0) }).length + ','.length;
  return around + Math.ceil(data.length / 3) * 4;
}
