// The streams of one peer that are not over, or have still to say so, and everything that is asked of all of them at
// once. Nothing here walks over them at each event: a stream that changes says so, is looked at once more, and filed
// under what it has to say, when it wants to be woken, and what it adds to the sums. Pure.

import { TimeHeap } from '../../common/time-heap.js';
import type { NwsError } from '../../errors.js';
import { MAX_STREAMS_PER_PEER, MAX_UNANSWERED_PER_PEER } from '../../limits.js';
import type { RelayPath } from '../relay-path/relay-path.js';
import type { StreamState } from '../stream/stream-state.js';
import type { PlainParcel } from './peer-types.js';
import { ReadyQueues } from './ready-queues.js';

export class PeerStreams {
  readonly #byKey = new Map<string, StreamState>();
  /** Changed, or woken, since they were last ticked, filed, and asked whether they are over. */
  readonly #toTick = new Set<StreamState>();
  readonly #toFile = new Set<StreamState>();
  readonly #toSettle = new Set<StreamState>();
  readonly #queues = new ReadyQueues();
  readonly #wakes = new TimeHeap<StreamState>();
  /** Asked for and not answered, by us or by the peer. */
  readonly #unanswered = new Set<StreamState>();
  /** Known to belong to a peer that answers no questions. */
  readonly #plain = new Set<StreamState>();
  /** Something of ours waits for an answer of the peer. */
  readonly #awaiting = new Set<StreamState>();
  readonly #sets = [
    this.#toTick,
    this.#toFile,
    this.#toSettle,
    this.#unanswered,
    this.#plain,
    this.#awaiting,
  ];
  readonly #inFlight = new Map<StreamState, number>();
  #inFlightBytes = 0;
  /** The latest time that was heard of. A stream that is filed for an earlier time than now just wakes at once. */
  #now = 0;

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): StreamState | undefined {
    return this.#byKey.get(key);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** All of them; for what is rare. */
  values(): IterableIterator<StreamState> {
    return this.#byKey.values();
  }

  add(stream: StreamState): StreamState {
    this.#byKey.set(stream.key, stream);
    this.touch(stream.key);
    return stream;
  }

  /** A stream has changed, whatever it was. */
  touch(key: string): void {
    const stream = this.#byKey.get(key);
    if (stream === undefined) return;
    this.#toTick.add(stream);
    this.#toFile.add(stream);
    this.#toSettle.add(stream);
  }

  /** It said something: what is left it says when the others had their turn. */
  served(stream: StreamState): void {
    this.#queues.remove(stream);
    this.touch(stream.key);
  }

  /** What the peer is, or whether it was ever heard, has changed: those that wait for its answer look again. */
  touchUnanswered(): void {
    this.#catchUp();
    for (const { key } of this.#unanswered) this.touch(key);
  }

  /** Files what has changed, and what is due by now. */
  #catchUp(now = this.#now): void {
    this.#now = now;
    for (let due = this.#wakes.takeDue(now); due !== undefined; due = this.#wakes.takeDue(now)) {
      this.touch(due.key);
    }
    for (const stream of this.#toFile) this.#file(stream, now);
    this.#toFile.clear();
  }

  #file(stream: StreamState, now: number): void {
    const { phase, isPlain, send } = stream;
    // First, since a stream sees here that it has to ask for a window, which is something to wake for.
    this.#queues.file(stream, now);
    this.#wakes.set(stream, earliestAfter(now, stream.wakeTimes));
    const isUnanswered = phase === 'opening' || phase === 'dialling';
    const awaits = phase === 'opening' || (phase === 'open' && send.awaitsPeer);
    put(this.#unanswered, stream, isUnanswered);
    put(this.#plain, stream, isPlain);
    put(this.#awaiting, stream, awaits && !isPlain);
    this.#count(stream, send.inFlightBytes);
  }

  #count(stream: StreamState, bytes: number): void {
    this.#inFlightBytes += bytes - (this.#inFlight.get(stream) ?? 0);
    if (bytes > 0) this.#inFlight.set(stream, bytes);
    else this.#inFlight.delete(stream);
  }

  #remove(stream: StreamState): void {
    this.#byKey.delete(stream.key);
    for (const set of this.#sets) set.delete(stream);
    this.#queues.remove(stream);
    this.#wakes.delete(stream);
    this.#count(stream, 0);
  }

  /** Why the peer gets no further stream now. */
  get objection(): string | undefined {
    if (this.size >= MAX_STREAMS_PER_PEER)
      return `more than ${MAX_STREAMS_PER_PEER} streams at once`;
    this.#catchUp();
    if (this.#unanswered.size < MAX_UNANSWERED_PER_PEER) return undefined;
    return `more than ${MAX_UNANSWERED_PER_PEER} unanswered streams`;
  }

  /** Whether there are streams with a peer that answers questions, or may do so. */
  get isAskable(): boolean {
    this.#catchUp();
    return this.size > this.#plain.size;
  }

  /** Something of ours waits for an answer of the peer. */
  get awaitPeer(): boolean {
    this.#catchUp();
    return this.#awaiting.size > 0;
  }

  /** Bytes that were sent and are not known to have arrived. */
  get inFlightBytes(): number {
    this.#catchUp();
    return this.#inFlightBytes;
  }

  /** Those that have something to send now. */
  ready(now: number): ReadyQueues {
    this.#catchUp(now);
    return this.#queues;
  }

  /** The next time after `now` at which one of them will have something to do, in ms. */
  wakeAt(now: number): number | undefined {
    this.#catchUp(now);
    return this.#wakes.earliestAt;
  }

  /** Shows the peer the next so many of those that are open, in turn, by an acknowledgement. Returns their keys. */
  askAfter(count: number, now: number): string[] {
    const asked: string[] = [];
    let left = Math.min(count, this.size);
    for (const [key, stream] of this.#byKey) {
      if (left-- === 0) break;
      this.#byKey.delete(key);
      this.#byKey.set(key, stream);
      if (stream.phase !== 'open' || stream.isPlain) continue;
      stream.receive.acknowledge(now);
      this.touch(key);
      asked.push(key);
    }
    return asked;
  }

  /**
   * This path to the peer is gone, or all of them: what is in flight there is sent again, and what has arrived lately is
   * acknowledged again.
   */
  relink(now: number, path?: RelayPath): void {
    this.#catchUp(now);
    for (const stream of this.#byKey.values()) {
      if (!this.#awaiting.has(stream) && !stream.receive.acks.isRecent(now)) continue;
      stream.relink(now, path);
      this.touch(stream.key);
    }
  }

  /** Time passes. Returns those that it changed. */
  tick(now: number, peerHeardAt: number, obstacle?: NwsError): StreamState[] {
    this.#catchUp(now);
    const changed: StreamState[] = [];
    for (const stream of this.#toTick) {
      this.#toTick.delete(stream);
      const { phase, plain } = stream;
      stream.tick(now, peerHeardAt, obstacle);
      // No message shows that a plain stream has said everything.
      const hasSaidAll = stream.isPlain && stream.send.finished;
      if (stream.phase !== phase || stream.plain !== plain || hasSaidAll) changed.push(stream);
      this.#toFile.add(stream);
      this.#toSettle.add(stream);
    }
    return changed;
  }

  /** Takes out those that are over and have nothing left to say. */
  takeSettled(): StreamState[] {
    const over: StreamState[] = [];
    for (const stream of this.#toSettle) {
      this.#toSettle.delete(stream);
      stream.settle();
      if (!stream.isSettled) continue;
      stream.receive.discard();
      stream.send.release();
      this.#remove(stream);
      over.push(stream);
    }
    return over;
  }

  /** The next message for an event of its own; see PeerState.pullPlain. */
  pullPlain(now: number, maxBytes: (destination: string) => number): PlainParcel | undefined {
    for (const stream of this.ready(now).plain) {
      this.served(stream);
      const outgoing = stream.plain?.pull(now, maxBytes);
      if (outgoing !== undefined) return { stream, outgoing };
    }
    return undefined;
  }
}

/** The earliest of these times that is yet to come. */
export function earliestAfter(
  now: number,
  times: readonly (number | undefined)[],
): number | undefined {
  let earliest: number | undefined;
  for (const time of times) {
    if (time === undefined || time <= now) continue;
    if (earliest === undefined || time < earliest) earliest = time;
  }
  return earliest;
}

function put(set: Set<StreamState>, stream: StreamState, belongs: boolean): void {
  if (belongs) set.add(stream);
  else set.delete(stream);
}
