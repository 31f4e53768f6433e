// The messages of NIP-443 and of reliable streams: JSON text to a checked union, and back.
// Pure. Encryption and events are elsewhere; see README.md in this folder for the wire.

import { NwsError } from '../../errors.js';
import { decodeBase64 } from './base64.js';
import { bad, type Fields, flag, offset, text } from './fields.js';
import { encodePath, type Path, readOffer, readPath } from './path.js';

export type { Path } from './path.js';

/** Opens a stream. Without `v` it comes from a NIP-443 peer that knows nothing of reliable streams. */
export interface Connect {
  readonly type: 'CONNECT';
  readonly key: string;
  readonly destination: string;
  /** Version of reliable streams that the sender speaks. */
  readonly v?: number | undefined;
  /** Highest offset that the receiver may send up to, in bytes. */
  readonly window?: number | undefined;
  /** Bytes that a NIP-443 peer sent along. */
  readonly data?: Buffer | undefined;
}

/** Opens a stream over a TCP connection that the exit makes back to the entry. */
export interface ConnectR extends Omit<Connect, 'type'> {
  readonly type: 'CONNECTR';
  /** `host:port` that the exit dials. */
  readonly entryPublicAddress: string;
  /** Pre-shared key of the reverse connection: 32 bytes. */
  readonly secret?: Buffer | undefined;
}

/** The target is connected. */
export interface Open {
  readonly type: 'OPEN';
  readonly key: string;
  readonly v: number;
  readonly window: number;
  /** The exit takes part in looking for a direct path. */
  readonly direct?: boolean | undefined;
}

/** Bytes of a reliable stream from `offset`; `fin` takes the place behind the last byte. */
export interface Data {
  readonly type: 'DATA';
  readonly key: string;
  readonly offset: number;
  readonly data: Buffer;
  readonly ack: number;
  readonly window: number;
  readonly fin: boolean;
  readonly have?: readonly Range[] | undefined;
  readonly delay?: number | undefined;
  /** Nothing more comes, and nobody waits for an acknowledgement. */
  readonly last?: boolean | undefined;
}

/** Bytes of a NIP-443 peer: no offset, no acknowledgement, no end. */
export interface PlainData {
  readonly type: 'PLAIN';
  readonly key: string;
  /** That of the stream's CONNECT. */
  readonly destination?: string | undefined;
  readonly data: Buffer;
}

/** Every byte below `ack` has arrived; the peer may send up to `window`. */
export interface Ack {
  readonly type: 'ACK';
  readonly key: string;
  readonly ack: number;
  readonly window: number;
  readonly have?: readonly Range[] | undefined;
  /** How long the newest of what is acknowledged has waited for this, in ms. */
  readonly delay?: number | undefined;
}

/** Both directions end now. */
export interface Reset {
  readonly type: 'RESET';
  readonly key: string;
  /** A proxy error type of RFC 9209. */
  readonly error: string;
  readonly detail?: string | undefined;
}

export interface Ping {
  readonly type: 'PING';
  readonly key: string;
}

export interface Pong {
  readonly type: 'PONG';
  readonly key: string;
}

/** Half-open range of offsets `[from, to)` that arrived ahead of a gap. */
export type Range = readonly [from: number, to: number];

export type Message =
  | Connect
  | ConnectR
  | Open
  | Data
  | PlainData
  | Ack
  | Reset
  | Ping
  | Pong
  | Path;

/** Messages in one event. More than fit an event of 64 KiB can't be meant well. */
export const MAX_MESSAGES = 1024;
/** Ranges in one `have`. */
export const MAX_RANGES = 32;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface Decoded {
  readonly messages: Message[];
  /** How many were left out because they make no sense. */
  readonly invalid: number;
}

/**
 * Reads the content of a message event: one message or an array of them.
 * A member of an array that is no message is left out and counted; unknown fields are ignored.
 * @throws NwsError `bad_message` where nothing of it is a message.
 */
export function decodeMessages(json: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new NwsError('bad_message', 'message is not JSON', { cause });
  }
  if (!Array.isArray(value)) return { messages: [decodeMessage(value)], invalid: 0 };
  if (value.length > MAX_MESSAGES) throw bad(`more than ${MAX_MESSAGES} messages in one event`);
  const messages: Message[] = [];
  let invalid = 0;
  for (const item of value) {
    try {
      messages.push(decodeMessage(item));
    } catch {
      invalid += 1;
    }
  }
  return { messages, invalid };
}

/**
 * Reads one message.
 * @throws NwsError `bad_message` that names the field.
 */
export function decodeMessage(value: unknown): Message {
  if (typeof value !== 'object' || value === null) throw bad('message is not an object');
  const fields = value as Fields;
  const key = fields.key;
  if (typeof key !== 'string' || !UUID.test(key)) throw bad('key is not a UUID');
  switch (fields.type) {
    case 'CONNECT':
      return { type: 'CONNECT', key, ...opening(fields) };
    case 'CONNECTR': {
      const entryPublicAddress = text(fields, 'entryPublicAddress');
      return { type: 'CONNECTR', key, ...opening(fields), entryPublicAddress, ...secret(fields) };
    }
    case 'OPEN':
      return { type: 'OPEN', key, ...numbers(fields), ...readOffer(fields) };
    case 'DATA':
    case 'SOCKS5RESPONSE':
      return data(fields, key);
    case 'ACK':
      return { type: 'ACK', key, ...acknowledgement(fields) };
    case 'RESET': {
      const detail = fields.detail === undefined ? undefined : text(fields, 'detail');
      return { type: 'RESET', key, error: text(fields, 'error'), ...(detail && { detail }) };
    }
    case 'PING':
    case 'PONG':
      return { type: fields.type, key };
    case 'PATH':
      return { type: 'PATH', key, ...secret(fields), ...readPath(fields) };
    default:
      throw bad('type is unknown');
  }
}

/** Writes one message, or several as an array. */
export function encodeMessages(messages: readonly Message[]): string {
  if (messages.length === 1) return encodeMessage(messages[0]!);
  return `[${messages.map(encodeMessage).join(',')}]`;
}

/** Writes one message as JSON. */
export function encodeMessage(message: Message): string {
  switch (message.type) {
    case 'DATA': {
      // Written by hand: base64 needs no escapes, and this is the hot path.
      const { key, offset, ack, window } = message;
      const fin = message.fin ? ',"fin":true' : '';
      const last = message.last ? ',"last":true' : '';
      const delay = message.delay === undefined ? '' : `,"delay":${message.delay}`;
      const ranges = message.have?.length ? `,"have":${JSON.stringify(message.have)}` : '';
      const bytes = message.data.toString('base64');
      return `{"type":"DATA","key":"${key}","offset":${offset},"ack":${ack},"window":${window}${delay}${fin}${last}${ranges},"data":"${bytes}"}`;
    }
    case 'PLAIN': {
      // A Go peer matches field names without regard to case and believes the last one, so it reads
      // SOCKS5RESPONSE, the only word it knows for data; every other peer reads DATA. Its exit drops
      // whatever carries no destination.
      const { key, destination } = message;
      const where = destination ? `,"destination":${JSON.stringify(destination)}` : '';
      const bytes = message.data.toString('base64');
      return `{"type":"DATA","key":"${key}","data":"${bytes}"${where},"Type":"SOCKS5RESPONSE"}`;
    }
    case 'CONNECT':
      return JSON.stringify({ ...message, data: message.data?.toString('base64') });
    case 'CONNECTR':
      return JSON.stringify({
        ...message,
        data: message.data?.toString('base64'),
        secret: message.secret?.toString('base64'),
      });
    case 'PATH':
      return encodePath(message);
    default:
      return JSON.stringify(message);
  }
}

function opening(fields: Fields): Pick<Connect, 'destination' | 'v' | 'window' | 'data'> {
  // An empty destination is what a NIP-443 client may send to an exit with one target.
  const destination = fields.destination === undefined ? '' : text(fields, 'destination');
  const bytes = bytesOf(fields.data ?? '');
  if (fields.v === undefined) return { destination, ...(bytes.length > 0 && { data: bytes }) };
  const v = offset(fields, 'v');
  return {
    destination,
    v,
    window: offset(fields, 'window'),
    ...(bytes.length > 0 && { data: bytes }),
  };
}

function numbers(fields: Fields): Pick<Open, 'v' | 'window'> {
  return { v: offset(fields, 'v'), window: offset(fields, 'window') };
}

function secret(fields: Fields): { secret?: Buffer } {
  if (fields.secret === undefined) return {};
  const value = fields.secret;
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (bytes?.length !== 32) throw bad('secret is not base64 of 32 bytes');
  return { secret: bytes };
}

function data(fields: Fields, key: string): Data | PlainData {
  const bytes = bytesOf(fields.data ?? '');
  if (fields.offset === undefined) return { type: 'PLAIN', key, data: bytes };
  const fin = flag(fields, 'fin');
  const last = flag(fields, 'last');
  const from = offset(fields, 'offset');
  if (from + bytes.length >= Number.MAX_SAFE_INTEGER) throw bad('offset is too large');
  const message = { type: 'DATA', key, offset: from, data: bytes, fin } as const;
  return { ...message, ...(last && { last }), ...acknowledgement(fields) };
}

function acknowledgement(fields: Fields): Pick<Ack, 'ack' | 'window' | 'delay' | 'have'> {
  const told = { ack: offset(fields, 'ack'), window: offset(fields, 'window') };
  const delay = fields.delay === undefined ? undefined : offset(fields, 'delay');
  return { ...told, ...(delay !== undefined && { delay }), ...have(fields) };
}

function have(fields: Fields): { have?: Range[] } {
  const value = fields.have;
  if (value === undefined) return {};
  if (!Array.isArray(value) || value.length > MAX_RANGES) throw bad('have is not a short array');
  const ranges = value.map((range: unknown): Range => {
    if (!Array.isArray(range) || range.length !== 2)
      throw bad('have holds something else than pairs');
    const [from, to] = range as unknown[];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || (from as number) < 0) {
      throw bad('have holds something else than offsets');
    }
    if ((from as number) >= (to as number)) throw bad('have holds an empty range');
    return [from as number, to as number];
  });
  return { have: ranges };
}

/** Base64 with padding, else the text itself: NIP-443's own example carries plain text. */
function bytesOf(value: unknown): Buffer {
  if (typeof value !== 'string') throw bad('data is not a string');
  return decodeBase64(value) ?? Buffer.from(value, 'utf8');
}
