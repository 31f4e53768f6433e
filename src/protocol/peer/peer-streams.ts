// Questions about all streams of a peer. Pure.

import { MAX_STREAMS_PER_PEER } from '../../limits.js';
import type { StreamState } from '../stream/stream-state.js';

/** Streams of one peer whose target is still being dialled. */
const MAX_UNANSWERED = 128;

/** Why a peer gets no further stream now. */
export function objectionTo(streams: ReadonlyMap<string, StreamState>): string | undefined {
  if (streams.size >= MAX_STREAMS_PER_PEER)
    return `more than ${MAX_STREAMS_PER_PEER} streams at once`;
  const unanswered = [...streams.values()].filter(({ phase }) => phase === 'dialling').length;
  return unanswered < MAX_UNANSWERED ? undefined : `more than ${MAX_UNANSWERED} unanswered streams`;
}

/** Whether there are streams with a peer that answers questions, or may do so. */
export function isAskable(streams: ReadonlyMap<string, StreamState>): boolean {
  for (const { isPlain } of streams.values()) if (!isPlain) return true;
  return false;
}
