// Whether what a peer keeps at hand about its streams is what a look at each of them says.

import type { PeerState } from '../../../src/protocol/peer/peer-state.js';
import { ReadyQueues } from '../../../src/protocol/peer/ready-queues.js';

const QUEUES = ['alone', 'urgent', 'small', 'bulk', 'urgentBulk', 'riders', 'plain'] as const;

/**
 * After `tick`, `settle` and whatever could be pulled. Without an assertion library, which would take most of the time.
 * @throws Error with what differs
 */
export function audit({ streams, heardAt, obstacle }: PeerState, now: number): void {
  const wakeAt = streams.wakeAt(now) ?? Number.POSITIVE_INFINITY;
  const kept = streams.ready(now);
  const looked = new ReadyQueues();
  let isAwaiting = false;
  let isAskable = false;
  let inFlightBytes = 0;
  for (const stream of streams.values()) {
    const { phase, isPlain, send } = stream;
    for (const time of stream.wakeTimes) hold(!(time! > now && time! < wakeAt), 'wakes too late');
    looked.file(stream, now);
    for (const queue of QUEUES) {
      hold(kept[queue].has(stream) === looked[queue].has(stream), `ready: ${queue}`);
    }
    const awaits = phase === 'opening' || (phase === 'open' && send.awaitsPeer);
    isAwaiting ||= awaits && !isPlain;
    isAskable ||= !isPlain;
    inFlightBytes += send.inFlightBytes;
    hold(!stream.isSettled, 'over, and still here');
    const { plain } = stream;
    const { lostBytes } = send;
    stream.tick(now, heardAt, obstacle);
    const isSame = stream.phase === phase && stream.plain === plain && send.lostBytes === lostBytes;
    hold(isSame, 'missed its time');
  }
  for (const queue of QUEUES) hold(kept[queue].size === looked[queue].size, `gone: ${queue}`);
  hold(streams.awaitPeer === isAwaiting, 'awaits the peer');
  hold(streams.isAskable === isAskable, 'is askable');
  hold(streams.inFlightBytes === inFlightBytes, 'in flight');
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(`what is kept of the streams is wrong: ${what}`);
}
