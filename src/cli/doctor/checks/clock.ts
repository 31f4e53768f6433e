// This machine's clock beside those of the relays: events carry the time, and relays refuse those of another one.

import { fetchDate } from '../../../relay/nip11.js';
import { upstreamOf } from '../../upstream.js';
import type { Check } from '../check.js';
import { skipped } from '../check.js';

/** An HTTP date has whole seconds, and takes its time to get here. */
const AGREES_S = 5;
/** Ephemeral events that are older than a minute are refused by strfry. */
const TOLERATED_S = 60;

export const clockCheck: Check = {
  waitsFor: 'the clocks of the relays',
  async *run({ relays, sources }) {
    if (relays.length === 0) return yield skipped('clock', 'there is no relay to ask for the time');
    const agentFor = upstreamOf(sources);
    const dates = await Promise.allSettled(relays.map((url) => aheadOf(url, { agentFor })));
    const known = dates.flatMap((date) => (date.status === 'fulfilled' ? (date.value ?? []) : []));
    if (known.length === 0)
      return yield skipped(
        'clock',
        'no relay tells the time; that it takes our events says as much',
      );
    // The relay in the middle: one that is wrong isn't believed where others are right.
    const aheadS = known.sort((a, b) => a - b)[Math.floor(known.length / 2)]!;
    const details = { aheadSeconds: aheadS, relays: known.length };
    const off = `${Math.abs(aheadS)} s ${aheadS > 0 ? 'ahead of' : 'behind'} the relays`;
    const hint = 'set it by the network: timedatectl set-ntp true';
    if (Math.abs(aheadS) < AGREES_S) {
      yield { check: 'clock', status: 'ok', found: 'agrees with the relays', details };
    } else if (Math.abs(aheadS) < TOLERATED_S) {
      yield { check: 'clock', status: 'note', found: `${off}: still tolerated`, hint, details };
    } else {
      yield {
        check: 'clock',
        status: 'failed',
        found: `${off}: they refuse events`,
        hint,
        details,
      };
    }
  },
};

/** By how many seconds this clock is ahead; undefined where the relay doesn't tell its own. */
async function aheadOf(
  url: string,
  options: Parameters<typeof fetchDate>[1],
): Promise<number | undefined> {
  const date = await fetchDate(url, options);
  // A date is cut to its second, so that it is half a second old on average.
  return date === undefined ? undefined : Math.round((Date.now() - date - 500) / 1_000);
}
