// When the other side begins to speak, without taking a byte of it.

import type { Duplex } from 'node:stream';

/** Calls back when a stream has bytes to read, or has ended; takes none of them. */
export function onFirstByte(stream: Duplex, signal: AbortSignal, spoken: () => void): void {
  if (signal.aborted) return;
  const look = (): void => {
    if (stream.readableLength > 0) spoken();
    // Nothing to read: this was the end, which is announced only to those who ask.
    else stream.read(0);
  };
  stream.on('readable', look).on('end', spoken);
  signal.addEventListener('abort', () => stream.off('readable', look).off('end', spoken));
}

/** Resolves when there is something to read, or the end; takes none of it. Rejects with the stream's error. */
export function firstByte(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const settle = (act: () => void): void => {
      over.abort();
      stream.off('close', closed);
      act();
    };
    const closed = (): void =>
      settle(() => (stream.errored ? reject(stream.errored) : resolve(undefined)));
    stream.once('close', closed);
    if (stream.closed) closed();
    else onFirstByte(stream, over.signal, () => settle(resolve));
  });
}
