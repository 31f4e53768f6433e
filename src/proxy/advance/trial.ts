// The first words of a client over a connection in advance. The exit may be gone, and nobody have heard of it yet: until
// the exit speaks, what the client has said is kept, so that it can be said again elsewhere. Only what may be said twice
// goes over such a connection at all.

import type { TLSSocket } from 'node:tls';
import { firstRequest } from './first-request.js';
import type { Spare } from './spares.js';

/** More than heads of requests have; what is longer goes out and isn't kept. */
const MAX_KEPT_BYTES = 32 * 1024;

/** What the client is to be joined with. */
export type Verdict =
  /** The connection in advance. */
  | { readonly is: 'good' }
  /** Another one, which is to begin with what the client has said. */
  | { readonly is: 'dead' | 'unfit'; readonly said: Buffer; readonly isUntouched: boolean };

/** A client that asks for nothing so soon may wait for the exit's greeting first. */
const PATIENCE_MS = 300;

/**
 * Settles as soon as it is known; leaves client and connection unread from there.
 * @param onUse called when the connection can't be another client's any more
 */
export function tryOut(
  client: TLSSocket,
  { socket, greeting }: Spare,
  onUse: () => void,
): Promise<Verdict> {
  const protocol = socket.alpnProtocol || '';
  let said: Buffer = Buffer.alloc(0);
  let passed = 0;
  let hasAsked = false;
  let isUsed = false;
  return new Promise((resolve) => {
    const pass = (): void => {
      if (passed < said.length) socket.write(said.subarray(passed));
      passed = said.length;
      if (!isUsed) onUse();
      isUsed = true;
    };
    const settle = (is: Verdict['is']): void => {
      clearTimeout(timer);
      client.off('readable', hear).off('end', good).off('close', good);
      socket.off('readable', look).off('end', dead).off('close', dead);
      if (is === 'good') {
        pass();
        if (greeting.length > 0 && !socket.destroyed) socket.unshift(greeting);
        resolve({ is });
      } else resolve({ is, said, isUntouched: !isUsed });
    };
    const good = (): void => settle('good');
    const timer = setTimeout(good, PATIENCE_MS);
    const dead = (): void => settle('dead');
    const look = (): void => {
      if (socket.readableLength > 0) good();
      else socket.read(0); // its end is announced only to those who ask
    };
    const hear = (): void => {
      for (let chunk = client.read(); chunk !== null; chunk = client.read()) {
        said = Buffer.concat([said, chunk as Buffer]);
      }
      const asks = firstRequest(protocol, said);
      if (asks === 'other') settle(hasAsked ? 'good' : 'unfit');
      else if (said.length > MAX_KEPT_BYTES) good();
      hasAsked ||= asks === 'safe';
      if (hasAsked) clearTimeout(timer);
      // A client of HTTP/2 may wait for an answer to its greeting before it asks.
      if (asks !== 'other' && (hasAsked || protocol === 'h2')) pass();
    };
    client.on('readable', hear).once('end', good).once('close', good);
    socket.on('readable', look).once('end', dead).once('close', dead);
    if (client.destroyed) good();
    else if (socket.destroyed) dead();
  });
}
