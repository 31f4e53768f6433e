// How far away a peer is.

import { inTime } from '../../common/waiting.js';
import type { Peer } from '../peer.js';

const TIMEOUT_MS = 3_000;

/** The time that a question and its answer take, in ms; undefined where no answer comes in time. */
export async function ping(peer: Peer): Promise<number | undefined> {
  const elapsed = await inTime(peer.ping(), TIMEOUT_MS);
  peer.update();
  return elapsed;
}
