// The datagrams that look for a path and keep it (README.md, "Direct paths"): fixed length, authenticated. Pure: the
// MAC comes in as a function, numbers are the sender's to count.

/** All of them have this length, answers included: nothing is amplified. */
export const PROBE_BYTES = 40;
export const PATH_ID_BYTES = 8;
const MAC_BYTES = 16;
const MAC_AT = PROBE_BYTES - MAC_BYTES;
/** Neither STUN, which begins with two zero bits, nor UDX, which begins with 0xff. */
const MAGIC = Buffer.from('nws\x01', 'latin1');
const PATH_AT = 6;
const NUMBER_AT = 14;
const STREAM_AT = 20;

/**
 * - `ask`: does this arrive? `answer` repeats its number
 * - `use`: the entry has chosen this pair; `used` repeats its number
 */
const KINDS = ['ask', 'answer', 'use', 'used'] as const;
export type ProbeKind = (typeof KINDS)[number];

export interface Probe {
  readonly kind: ProbeKind;
  /** Who sent it: nobody takes an echo for an answer. */
  readonly side: 'entry' | 'exit';
  /** Of the sender, 48 bits: each `ask` and `use` has a higher one than those before. */
  readonly number: number;
  /** The id of the sender's control stream, 32 bits. */
  readonly stream: number;
}

/** The first 16 bytes of an HMAC-SHA-256 with the key of the path. */
export type Mac = (bytes: Buffer) => Buffer;

/** @param path 8 bytes that name the path */
export function encodeProbe({ kind, side, number, stream }: Probe, path: Buffer, mac: Mac): Buffer {
  const bytes = Buffer.alloc(PROBE_BYTES);
  MAGIC.copy(bytes);
  bytes[4] = KINDS.indexOf(kind) + 1;
  bytes[5] = side === 'entry' ? 0 : 1;
  path.copy(bytes, PATH_AT, 0, PATH_ID_BYTES);
  bytes.writeUIntBE(number, NUMBER_AT, 6);
  bytes.writeUInt32BE(stream, STREAM_AT);
  mac(bytes.subarray(0, MAC_AT)).copy(bytes, MAC_AT, 0, MAC_BYTES);
  return bytes;
}

/** Which path a datagram is for, in hex; undefined where it is no probe at all. */
export function pathOfProbe(bytes: Buffer): string | undefined {
  if (bytes.length !== PROBE_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) return undefined;
  return bytes.toString('hex', PATH_AT, PATH_AT + PATH_ID_BYTES);
}

/**
 * Reads what `pathOfProbe` found to be a probe; undefined where it is forged or of an unknown kind.
 * @param isEqual compares in constant time
 */
export function decodeProbe(
  bytes: Buffer,
  mac: Mac,
  isEqual: (a: Buffer, b: Buffer) => boolean,
): Probe | undefined {
  const kind = KINDS[bytes[4]! - 1];
  const side = bytes[5] === 0 ? 'entry' : bytes[5] === 1 ? 'exit' : undefined;
  if (kind === undefined || side === undefined) return undefined;
  const expected = mac(bytes.subarray(0, MAC_AT)).subarray(0, MAC_BYTES);
  if (!isEqual(expected, bytes.subarray(MAC_AT))) return undefined;
  const number = bytes.readUIntBE(NUMBER_AT, 6);
  return { kind, side, number, stream: bytes.readUInt32BE(STREAM_AT) };
}
