// Many bytes over a stream, and whoever reads them slowly: what tests of ends and cuts have in common.

import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { until } from '../support/until.js';

export const ALL_BYTES = 5_000_000;
export const chunk = Buffer.alloc(50_000, 'x');

/** What came from a stream, and whether it ended in order. */
export interface Got {
  bytes: number;
  isEnd: boolean;
}
export const whole: Got = { bytes: ALL_BYTES, isEnd: true };

export function writeAll(stream: Duplex): void {
  for (let left = ALL_BYTES; left > 0; left -= chunk.length) stream.write(chunk);
}

/** Reads in small steps until the end or the close. */
export function slowly(stream: Duplex, got: Got = { bytes: 0, isEnd: false }): Promise<Got> {
  return new Promise((resolve) => {
    stream.on('data', (data: Buffer) => {
      got.bytes += data.length;
      stream.pause();
      void nextTurn().then(() => stream.resume());
    });
    stream.once('end', () => {
      got.isEnd = true;
      resolve(got);
    });
    stream.once('close', () => resolve(got));
  });
}

/**
 * Writes on and on while nobody reads, until no more leaves: no event tells that.
 * @param moment time for what is on its way
 * @returns the bytes that were written
 */
export async function writeUntilHeldUp(
  writer: Duplex,
  moment: () => Promise<unknown>,
): Promise<number> {
  let sent = 0;
  let isFull = false;
  const more = (): void => {
    if (isFull) return;
    sent += chunk.length;
    writer.write(chunk, more);
  };
  more();
  let before = -1;
  await until(async () => {
    const isStill = sent === before;
    before = sent;
    await moment();
    return isStill && writer.writableLength > 0;
  });
  isFull = true;
  return sent;
}
