// An entry that is killed says nothing any more: how long the exit keeps its streams. By a clock of the test's own.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { PeerState } from '../../src/protocol/peer/peer-state.js';
import type { StreamState } from '../../src/protocol/stream/stream-state.js';

const WINDOW_BYTES = 100_000;
const EVENT_BYTES = 40_960;
/** A minute of silence, four questions ten seconds apart, and a little. */
const MOST_MS = 105_000;

const DOING: Record<string, (stream: StreamState) => void> = {
  idles: () => undefined,
  'has bytes on their way': ({ send }) => send.write(Buffer.alloc(WINDOW_BYTES / 2)),
  'waits for a window': ({ send }) => send.write(Buffer.alloc(3 * WINDOW_BYTES)),
  'has said its last': ({ send }) => send.end(),
};

describe('an exit whose entry was killed', () => {
  for (const [what, act] of Object.entries(DOING)) {
    it(`ends a stream that ${what} by the liveness time-out`, () => {
      const exit = new PeerState({
        role: 'exit',
        windowBytes: () => WINDOW_BYTES,
        memory: { take: () => true, give: () => undefined },
        flightShareBytes: () => WINDOW_BYTES,
        newKey: randomUUID,
        now: 0,
      });
      const key = randomUUID();
      const destination = 'x.nostr:443';
      const window = WINDOW_BYTES;
      const stream = exit.receive({ type: 'CONNECT', key, destination, v: 1, window }, 0, true)!;
      stream.accept(0);
      act(stream);
      const { endedAt, events } = silence(exit, stream);
      expect(endedAt).to.be.within(30_000, MOST_MS);
      expect(stream.error?.code).to.be.oneOf(['connection_terminated', 'connection_timeout']);
      expect(exit.streams.size).to.equal(0);
      expect(events).to.be.below(100);
    });
  }
});

/** Lets time pass without a word from the entry, until nothing is left of the stream. */
function silence(exit: PeerState, stream: StreamState): { endedAt: number; events: number } {
  let now = 0;
  let endedAt = Number.POSITIVE_INFINITY;
  let events = 0;
  while (exit.streams.size > 0 && now < 10 * MOST_MS) {
    exit.tick(now);
    while (exit.pull(now, EVENT_BYTES).length > 0) events += 1;
    exit.settle(now);
    if (stream.phase === 'over') endedAt = Math.min(endedAt, now);
    now = exit.wakeAt(now) ?? Number.POSITIVE_INFINITY;
  }
  return { endedAt, events };
}
