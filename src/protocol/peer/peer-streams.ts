// The streams of one peer that are not over, or have still to say so: everything that is asked of all of them at once.
// Pure.

import type { NwsError } from '../../errors.js';
import { MAX_STREAMS_PER_PEER } from '../../limits.js';
import type { StreamState } from '../stream/stream-state.js';
import type { PlainParcel } from './peer-types.js';

/** A stream with no more than this to send goes before the bulk streams. */
export const SMALL_BYTES = 4_096;
/** Streams of one peer whose target is still being dialled. */
const MAX_UNANSWERED = 128;

/** By key, in the order in which they take turns. */
export class PeerStreams extends Map<string, StreamState> {
  /** Why the peer gets no further stream now. */
  get objection(): string | undefined {
    if (this.size >= MAX_STREAMS_PER_PEER)
      return `more than ${MAX_STREAMS_PER_PEER} streams at once`;
    const unanswered = [...this.values()].filter(({ phase }) => phase === 'dialling').length;
    if (unanswered < MAX_UNANSWERED) return undefined;
    return `more than ${MAX_UNANSWERED} unanswered streams`;
  }

  /** Whether there are streams with a peer that answers questions, or may do so. */
  get isAskable(): boolean {
    for (const { isPlain } of this.values()) if (!isPlain) return true;
    return false;
  }

  /** Something of ours waits for an answer of the peer. */
  get awaitPeer(): boolean {
    for (const { phase, isPlain, send } of this.values()) {
      if (isPlain) continue;
      if (phase === 'opening' || (phase === 'open' && send.awaitsPeer)) return true;
    }
    return false;
  }

  /** Whether one of them has much to send now. */
  hasBulk(now: number): boolean {
    for (const stream of this.values()) {
      const { queuedBytes, lostBytes } = stream.send;
      if (stream.hasData(now) && queuedBytes + lostBytes > SMALL_BYTES) return true;
    }
    return false;
  }

  /** Whether one of them has something to send now. */
  isReady(now: number): boolean {
    for (const stream of this.values()) {
      if (stream.hasData(now) || stream.urgent(now) || stream.plain?.ready(now)) return true;
    }
    return false;
  }

  /** Time passes. Returns those that it changed. */
  tick(now: number, peerHeardAt: number, obstacle?: NwsError): StreamState[] {
    const changed: StreamState[] = [];
    for (const stream of this.values()) {
      const { phase, plain } = stream;
      stream.tick(now, peerHeardAt, obstacle);
      // No message shows that a plain stream has said everything.
      const hasSaidAll = stream.isPlain && stream.send.finished;
      if (stream.phase !== phase || stream.plain !== plain || hasSaidAll) changed.push(stream);
    }
    return changed;
  }

  /** Takes out those that are over and have nothing left to say. */
  takeSettled(): StreamState[] {
    const over: StreamState[] = [];
    for (const [key, stream] of this) {
      stream.settle();
      if (!stream.isSettled) continue;
      this.delete(key);
      stream.receive.discard();
      stream.send.release();
      over.push(stream);
    }
    return over;
  }

  /** The next message for an event of its own; see PeerState.pullPlain. */
  pullPlain(now: number, maxBytes: (destination: string) => number): PlainParcel | undefined {
    for (const [key, stream] of this) {
      const outgoing = stream.plain?.pull(now, maxBytes);
      if (outgoing === undefined) continue;
      this.delete(key);
      this.set(key, stream);
      return { stream, outgoing };
    }
    return undefined;
  }
}
