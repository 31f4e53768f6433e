// Why a process can't carry a request now, for /readyz and all who ask whether it is well.

import type { RelayPool } from '../../relay/pool.js';

/** Why none of these relays can carry a request now; undefined where one can. */
export function obstacleOf(
  pool: Pick<RelayPool, 'links'>,
  relays: readonly string[],
): string | undefined {
  const up = pool.links().filter(({ url, isUp }) => isUp && relays.includes(url));
  if (up.length === 0) return 'no relay is up';
  if (up.some(({ deafness }) => deafness === undefined)) return undefined;
  return up.map(({ url, deafness }) => `${url} ends our subscription: ${deafness}`).join('\n');
}
