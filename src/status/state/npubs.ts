// Public keys as people write them; the last ones are kept, since those who look see the same ones every second.

import { BoundedMap } from '../../common/bounded.js';
import { encodeNpub } from '../../protocol/names/address.js';

const known = new BoundedMap<string, string>(1_024);

/** @param pubkey 64 hex digits */
export function npubOf(pubkey: string): string {
  const npub = known.get(pubkey) ?? encodeNpub(pubkey);
  known.set(pubkey, npub);
  return npub;
}
