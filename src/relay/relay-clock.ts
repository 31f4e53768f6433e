// By how much a relay's clock differs from ours, asked for when it refuses an event for its time.
import type { FetchOptions } from './nip11.js';
import { fetchDate } from './nip11.js';

/** Less is what an HTTP date of whole seconds and its way here account for. */
const AGREES_S = 5;
const FOR_ITS_TIME =
  /created_at|timestamp|creation date|too (old|early|late)|event expired|in the (future|past)/i;

export function refusesTime(reason: string): boolean {
  return FOR_ITS_TIME.test(reason);
}

/** The reason, and whose clock is behind by how much as far as the relay shows its own. Never rejects. */
export async function withClocks(
  reason: string,
  relay: string,
  options: FetchOptions,
): Promise<string> {
  const date = await fetchDate(relay, options).catch(() => undefined);
  if (date === undefined) return reason;
  const aheadS = Math.round((date - Date.now()) / 1_000);
  if (Math.abs(aheadS) < AGREES_S) return `${reason} (the relay's clock agrees with ours)`;
  const direction = aheadS > 0 ? 'behind' : 'ahead of';
  return `${reason} (this machine's clock is ${Math.abs(aheadS)} s ${direction} the relay's)`;
}
