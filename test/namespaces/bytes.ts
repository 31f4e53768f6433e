// Any number of bytes that both sides of a download can make.

import { createHash } from 'node:crypto';

const BLOCK = createHash('sha512').update('block').digest();
const CHUNK = Buffer.concat(Array.from({ length: 1_024 }, () => BLOCK));

/** The bytes, in parts of 64 KiB. */
export function* bytes(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left);
}

/** SHA-256 of them, in hex. */
export function hashOf(count: number): string {
  const hash = createHash('sha256');
  for (const part of bytes(count)) hash.update(part);
  return hash.digest('hex');
}
