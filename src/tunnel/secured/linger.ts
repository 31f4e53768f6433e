// A connection that has ended on our side and is wanted no more: closed with something unread it would be reset, and
// take along what is still on its way to the peer.

import type { Duplex } from 'node:stream';

/** How long it waits for the peer's end. */
const LINGER_MS = 5_000;

/** Reads on, for nobody, until the peer ends, too. */
export function linger(connection: Duplex): void {
  const late = new Error('the peer does not end');
  const timer = setTimeout(() => connection.destroy(late), LINGER_MS).unref();
  connection.once('close', () => clearTimeout(timer));
  connection.removeAllListeners('data').resume();
}
