// How far away a peer is.

import type { Peer } from '../peer.js';

const TIMEOUT_MS = 3_000;

/** The time that a question and its answer take, in ms; undefined where no answer comes in time. */
export async function ping(peer: Peer): Promise<number | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), TIMEOUT_MS);
  });
  const elapsed = await Promise.race([peer.ping(), late]);
  clearTimeout(timer);
  peer.update();
  return elapsed;
}
