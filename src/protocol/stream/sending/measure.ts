// What the answer to a segment says about the way that it took. Pure.

import type { RoundTrip } from '../round-trip.js';
import type { Segment } from './segment.js';

/**
 * Only times that can't belong to another transmission of the same bytes count (Karn).
 * @param roundTrip that of the peer; that of the relay, which is the segment's, is measured as well
 */
export function measure(
  { sentAt, sentBefore, tries, path }: Segment,
  roundTrip: RoundTrip,
  answeredAt: number,
): void {
  const elapsed = Math.max(0, answeredAt - sentAt);
  if (tries === 1) {
    roundTrip.sample(elapsed);
    path?.measured(elapsed, answeredAt);
    return;
  }
  // Sooner than any round trip: it answers an earlier transmission, so the repeat was premature.
  for (const each of [roundTrip, path?.roundTrip]) {
    if (each !== undefined && elapsed < each.shortestMs) {
      each.premature(Math.max(0, answeredAt - sentBefore));
    }
  }
}
