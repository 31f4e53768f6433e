// Where the streams of this exit may go: to its own target, and nowhere else.
// Pure: judges the destination of a CONNECT as it was sent, without resolving or dialling.

import { NwsError } from '../errors.js';
import { decodeHost } from '../protocol/address.js';

/** What a destination is allowed to reach. */
export type Verdict = 'own-target';

/**
 * Judges a destination. The exit's own target goes by any name of its key, on any port, and by no
 * name at all, which is what a NIP-443 client may send to an exit with one target.
 * @param destination `host`, `host:port` or empty.
 * @param ownPubkey hex.
 * @throws NwsError `destination_ip_prohibited` for everything else.
 */
export function judgeDestination(destination: string, ownPubkey: string): Verdict {
  if (destination === '' || isOwnName(withoutPort(destination), ownPubkey)) return 'own-target';
  throw new NwsError('destination_ip_prohibited', 'this exit serves its own target only', {
    hint: 'ask for it by the name that the exit printed when it started',
  });
}

function withoutPort(destination: string): string {
  return destination.replace(/:\d{1,5}$/, '');
}

function isOwnName(host: string, ownPubkey: string): boolean {
  try {
    return decodeHost(host).pubkey === ownPubkey;
  } catch {
    return false; // not a .nostr name: somebody else's host
  }
}
