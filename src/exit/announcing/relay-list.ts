// The exit's relay list (NIP-65), by which names without a relay are found.

import type { EventTemplate, Event as NostrEvent } from 'nostr-tools';
import type { Signer } from '../../crypto/signer.js';
import { KIND, relayListEvent } from '../../protocol/wire/events.js';
import type { RelayPool } from '../../relay/pool.js';

/** How long relays may take to show the relay list that was published before. */
const QUERY_TIMEOUT_MS = 3_000;

/** The list to publish, with what an earlier one has of somebody else's making. */
export async function relayListTemplate(
  { signer, relays }: { readonly signer: Signer; readonly relays: readonly string[] },
  pool: RelayPool,
): Promise<EventTemplate> {
  const earlier = await earlierRelayList(signer.pubkey, relays, pool);
  // Relays keep the newer one, also where our clock has been set back since.
  const now = Math.floor(Date.now() / 1000);
  return relayListEvent(relays, earlier, Math.max(now, (earlier?.created_at ?? 0) + 1));
}

async function earlierRelayList(
  pubkey: string,
  relays: readonly string[],
  pool: RelayPool,
): Promise<NostrEvent | undefined> {
  const filter = { kinds: [KIND.relayList], authors: [pubkey], limit: 1 };
  const lists = await pool.query(relays, filter, QUERY_TIMEOUT_MS);
  return lists.sort((a, b) => b.created_at - a.created_at)[0];
}
