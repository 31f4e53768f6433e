// Whole numbers in one, two, four or eight bytes (RFC 9000, section 16), of which we use those below 2^53. Pure.

/** Bytes of the longest. */
export const MAX_VARINT_BYTES = 8;
/** First byte of each length, by the bytes that follow. */
const TWO = 0x4000;
const FOUR = 0x8000_0000;
const EIGHT = 0xc000_0000;
const LIMIT_OF_ONE = 2 ** 6;
const LIMIT_OF_TWO = 2 ** 14;
const LIMIT_OF_FOUR = 2 ** 30;
const HIGH = 2 ** 32;

/** How many bytes it takes: the fewest. */
export function varintBytes(value: number): number {
  if (value < LIMIT_OF_ONE) return 1;
  if (value < LIMIT_OF_TWO) return 2;
  return value < LIMIT_OF_FOUR ? 4 : MAX_VARINT_BYTES;
}

/** The most bytes that fit `room` together with their number in front of them. */
export function bodyRoom(room: number): number {
  return Math.max(
    Math.min(room - 1, LIMIT_OF_ONE - 1),
    Math.min(room - 2, LIMIT_OF_TWO - 1),
    Math.min(room - 4, LIMIT_OF_FOUR - 1),
  );
}

/** Writes it at `at`, where there is room. Returns where it ends. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  if (value < LIMIT_OF_ONE) return target.writeUInt8(value, at);
  if (value < LIMIT_OF_TWO) return target.writeUInt16BE(value + TWO, at);
  if (value < LIMIT_OF_FOUR) return target.writeUInt32BE(value + FOUR, at);
  target.writeUInt32BE(Math.floor(value / HIGH) + EIGHT, at);
  return target.writeUInt32BE(value % HIGH, at + 4);
}

/** Length of the number whose first byte this is. */
export function varintLength(first: number): number {
  return 1 << (first >> 6);
}

/** Reads the `length` bytes at `at`, which are there. Not below 2^53 where the number isn't. */
export function readVarint(source: Buffer, at: number, length: number): number {
  switch (length) {
    case 1:
      return source.readUInt8(at);
    case 2:
      return source.readUInt16BE(at) - TWO;
    case 4:
      return source.readUInt32BE(at) - FOUR;
    default:
      return (source.readUInt32BE(at) - EIGHT) * HIGH + source.readUInt32BE(at + 4);
  }
}
