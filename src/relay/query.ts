// Asks several links for stored events, and tells several links about one event.
// Holding the links open meanwhile is the pool's work.
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { matchFilter } from 'nostr-tools/filter';
import { verifyEvent } from '../crypto/signer.js';
import { Gathering } from './gathering.js';
import type { RelayLink } from './link.js';

/** How long broadcast() waits for a relay that gives no answer. */
const BROADCAST_TIMEOUT_MS = 10_000;
/** Events that one query keeps; what comes after is dropped. */
const MAX_QUERY_EVENTS = 5_000;

export interface QueryResult {
  readonly events: NostrEvent[];
  /** Whether at least one relay was connected. */
  readonly reached: boolean;
}

export interface BroadcastResult {
  readonly accepted: string[];
  readonly refused: { readonly url: string; readonly reason: string }[];
}

/** Stored events: verified, matching and without duplicates. Never rejects. */
export async function queryLinks(
  links: readonly RelayLink[],
  filter: Filter,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<QueryResult> {
  const events = new Map<string, NostrEvent>();
  const gathering = new Gathering({ links, timeoutMs, patient: true, signal });
  const keep = (event: NostrEvent): void => {
    if (events.size >= MAX_QUERY_EVENTS || events.has(event.id)) return;
    if (matchFilter(filter, event) && verifyEvent(event)) events.set(event.id, event);
  };
  for (const link of links) {
    const subscription = link.subscribe([filter], {
      onEvent: keep,
      onEose: () => gathering.answer(link, events.size > 0),
      onClosed: () => gathering.answer(link, false),
    });
    gathering.onOver(() => subscription.close());
  }
  await gathering.over;
  const reached = gathering.hasAnswers || links.some((link) => link.isUp);
  return { events: [...events.values()], reached };
}

/**
 * Publishes an event on each link, on those that are still connecting as soon as they are up.
 * A relay that had not answered when it was over is in neither list; one that is down was refused.
 */
export async function broadcastTo(
  links: readonly RelayLink[],
  event: NostrEvent,
  signal: AbortSignal,
): Promise<BroadcastResult> {
  const accepted: string[] = [];
  const refused = new Map<string, string>();
  const timeoutMs = BROADCAST_TIMEOUT_MS;
  const gathering = new Gathering({ links, timeoutMs, patient: false, signal });
  for (const link of links) {
    const publish = (): void =>
      link.publish(event, ({ ok, reason }) => {
        if (ok) accepted.push(link.url);
        else refused.set(link.url, reason);
        gathering.answer(link, ok);
      });
    if (link.isUp) publish();
    else link.once('up', publish);
    gathering.onOver(() => link.off('up', publish));
  }
  await gathering.over;
  for (const link of links) {
    if (!link.isUp && !accepted.includes(link.url) && !refused.has(link.url)) {
      refused.set(link.url, `error: ${link.lastError ?? 'not connected in time'}`);
    }
  }
  return {
    accepted: [...accepted],
    refused: [...refused].map(([url, reason]) => ({ url, reason })),
  };
}
