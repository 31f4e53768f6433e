// Opens a stream as the entry and waits for the exit's answer, or for the client to leave.

import { NwsError } from '../errors.js';
import type { Peer } from './peer.js';
import type { TunnelStream } from './stream.js';

/**
 * Resolves when the exit has connected its target; an aborted signal ends the stream.
 * @throws NwsError why it can't be opened, or the signal's reason.
 */
export function openStream(
  peer: Peer,
  destination: string,
  signal?: AbortSignal,
): Promise<TunnelStream> {
  return new Promise((resolve, reject) => {
    const done = (): void => signal?.removeEventListener('abort', aborted);
    const check = (): void => {
      // A NIP-443 exit never answers: what the client has to say is what it waits for.
      if (stream.phase === 'opening' && stream.plain === undefined) return;
      done();
      if (stream.error !== undefined) reject(stream.error);
      else resolve(peer.attach(stream));
    };
    const aborted = (): void => {
      stream.reset(new NwsError('connection_terminated', 'the client left'), performance.now());
      peer.update();
      done();
      reject(signal!.reason);
    };
    const stream = peer.open(destination, check);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
