// Streams that have something to say now, by what it is, in turn: one that was served goes to the end. Pure.

import type { StreamState } from '../stream/stream-state.js';

/** A stream with no more than this to send goes before the bulk streams. */
export const SMALL_BYTES = 4_096;

export class ReadyQueues {
  /** A question that has to be alone in its event. */
  readonly alone = new Set<StreamState>();
  /** Answers, acknowledgements, and what is small and was lost. */
  readonly urgent = new Set<StreamState>();
  /** Little data that was never sent. */
  readonly small = new Set<StreamState>();
  /** Much data. */
  readonly bulk = new Set<StreamState>();
  /** Those of `bulk` with something urgent, or something that was lost. */
  readonly urgentBulk = new Set<StreamState>();
  /** An acknowledgement that isn't due yet: it goes along where an event leaves anyway. */
  readonly riders = new Set<StreamState>();
  /** What goes to a peer of NIP-443 alone. */
  readonly plain = new Set<StreamState>();
  readonly #all = [this.alone, this.urgent, this.small, this.bulk, this.urgentBulk, this.plain];

  /** Whether nothing makes an event leave. */
  get isEmpty(): boolean {
    return this.#all.every(({ size }) => size === 0);
  }

  /** Puts the stream where it belongs now. Where it stands already, it keeps its place. */
  file(stream: StreamState, now: number): void {
    const hasData = stream.hasData(now);
    const { queuedBytes, lostBytes } = stream.send;
    const isUrgent = stream.urgent(now) || (hasData && lostBytes > 0);
    const isBulk = hasData && queuedBytes + lostBytes > SMALL_BYTES;
    place(this.alone, stream, stream.goesAlone(now));
    place(this.urgent, stream, isUrgent && !isBulk);
    place(this.small, stream, hasData && !isBulk && !isUrgent);
    place(this.bulk, stream, isBulk);
    place(this.urgentBulk, stream, isBulk && isUrgent);
    const { phase, plain, receive } = stream;
    const isOpen = phase === 'open' && plain === undefined;
    place(this.riders, stream, isOpen && receive.ackAt !== undefined && !hasData && !isUrgent);
    place(this.plain, stream, plain?.ready(now) === true);
  }

  /** It was served, or is gone. */
  remove(stream: StreamState): void {
    for (const queue of this.#all) queue.delete(stream);
    this.riders.delete(stream);
  }
}

function place(queue: Set<StreamState>, stream: StreamState, belongs: boolean): void {
  if (belongs) queue.add(stream);
  else queue.delete(stream);
}
