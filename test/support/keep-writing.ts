// A writer that never has enough, and stops where nobody takes it any more.

import type { Writable } from 'node:stream';

/** Writes the chunk again and again, until a write fails or the stream is gone. */
export function keepWriting(stream: Writable, chunk: Buffer | string): void {
  const more = (error?: Error | null): void => {
    // A stream that has ended calls back with an error, at once, and again and again.
    if (!error && !stream.destroyed) stream.write(chunk, more);
  };
  more();
}
