// Large bodies that are never in memory as a whole: pseudo-random bytes made as they are read, and hashed as they come.

import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';

const CHUNK = Buffer.alloc(64 * 1024);

/** So many bytes that don't compress, the same ones each time. */
export function generated(length: number): Readable {
  return Readable.from(keyStream(length), { objectMode: false });
}

function* keyStream(length: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2));
  for (let left = length; left > 0; left -= CHUNK.length) {
    yield cipher.update(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
  }
}

export interface Digest {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Reads a stream to its end. */
export async function digest(stream: AsyncIterable<Buffer>): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}
