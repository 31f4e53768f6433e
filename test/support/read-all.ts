// Reads a stream to its end without closing it: `node:stream/consumers` destroys what it has read,
// which would end the other direction of a duplex stream, too.

import { once } from 'node:events';
import type { Readable } from 'node:stream';

export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}
