// The sending half of a reliable stream: cuts bytes into segments within the peer's window, keeps them
// until they are acknowledged, and says which to send again. Pure: the time comes in as an argument.

import { STREAM_WINDOW_BYTES } from '../../../limits.js';
import type { RelayPath } from '../../relay-path/relay-path.js';
import type { Range } from '../../wire/message.js';
import type { RoundTrip } from '../round-trip.js';
import { measure } from './measure.js';
import type { Segment } from './segment.js';
import { Segments } from './segments.js';
import { SendQueue } from './send-queue.js';

/** Smaller pieces are cut only where nothing larger can be had, in bytes. */
const MIN_CUT_BYTES = 1_024;
/** TLS over a stream ends it a few turns after its own last word. */
const END_WAIT_MS = 5;

export class SendHalf {
  readonly #roundTrip: RoundTrip;
  readonly #queue = new SendQueue();
  readonly #segments = new Segments();
  readonly #touched: () => void;
  #nextOffset = 0;
  #acked = 0;
  /** When the latest that has arrived was sent. */
  #arrivedSentAt = Number.NEGATIVE_INFINITY;
  #limit: number;
  endsBy = Number.NEGATIVE_INFINITY;
  #finQueued = false;
  #finSent = false;
  #probeAt: number | undefined;
  #probes = 0;
  #deadline: number | undefined;

  /**
   * @param limit highest offset that the peer lets us send up to, in bytes
   * @param touched told when the application has changed something
   */
  constructor(roundTrip: RoundTrip, limit: number, touched: () => void = () => undefined) {
    this.#roundTrip = roundTrip;
    this.#limit = limit;
    this.#touched = touched;
  }

  /** Bytes that were written and never sent yet. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Bytes that were sent and are not known to have arrived. */
  get inFlightBytes(): number {
    return this.#segments.inFlightBytes;
  }

  /** Bytes to be sent again. */
  get lostBytes(): number {
    return this.#segments.lostBytes;
  }

  /** Everything, the fin included, is acknowledged. */
  get finished(): boolean {
    return this.#finSent && this.#segments.isEmpty;
  }

  /** Something waits for an answer of the peer. */
  get awaitsPeer(): boolean {
    return !this.#segments.isEmpty || this.#probeAt !== undefined;
  }

  /** While nothing is acknowledged: whatever goes out next starts at offset 0. */
  get atStart(): boolean {
    return this.#nextOffset === 0 || this.#segments.first?.lost === true;
  }

  /** Grows as the peer gets bytes, and as its application takes them. */
  get progress(): number {
    return this.#acked + this.#limit;
  }

  get endQueued(): boolean {
    return this.#finQueued;
  }

  write(data: Buffer): void {
    this.#queue.push(data);
    this.#touched();
  }

  /** Our end comes right behind what was written, which may wait a moment for it. */
  endsSoon(now: number): void {
    this.endsBy = now + END_WAIT_MS;
    this.#touched();
  }

  end(): void {
    this.#finQueued = true;
    this.#touched();
  }

  /** The window that the peer offers. Windows never shrink, so a smaller one is an old message. */
  offer(limit: number): void {
    if (limit <= this.#limit) return;
    this.#limit = limit;
    this.#probeAt = undefined;
    this.#probes = 0;
  }

  /** A segment is lost, or there is something new that the window has room for: what `pull` gives out, room allowing. */
  get ready(): boolean {
    return this.hasLost || this.#finReady || this.#isWorthCutting(this.sendableBytes);
  }

  get hasLost(): boolean {
    return this.#segments.hasLost;
  }

  /** Whether so many bytes make a segment, where the window or the queue has no more. */
  #isWorthCutting(size: number): boolean {
    if (size === 0) return false;
    if (size >= MIN_CUT_BYTES || size === this.#queue.bytes) return true;
    // Cut short by a window that is nearly closed: more of it opens soon (RFC 9293, 3.8.6.2.1).
    return this.#segments.isEmpty;
  }

  get #room(): number {
    // However much the peer allows, what it doesn't acknowledge we have to keep.
    return Math.min(this.#limit, this.#acked + STREAM_WINDOW_BYTES) - this.#nextOffset;
  }

  /** Bytes that were never sent and that the window has room for. */
  get sendableBytes(): number {
    return Math.min(this.#queue.bytes, Math.max(0, this.#room));
  }

  get #finReady(): boolean {
    return this.#finQueued && !this.#finSent && this.#queue.bytes === 0 && this.#room > 0;
  }

  /**
   * The next segment to send, with at most `maxBytes` of data, or undefined.
   * What was lost goes first, in the order of the stream.
   * @param isAlone nothing else is in the event yet: what doesn't fit now never will in one piece
   * @param path what carries it
   */
  pull(now: number, maxBytes: number, isAlone: boolean, path?: RelayPath): Segment | undefined {
    const segment = this.hasLost
      ? this.#segments.takeLost(maxBytes, isAlone)
      : this.#cut(maxBytes, now, isAlone);
    if (segment === undefined) return undefined;
    segment.tries += 1;
    segment.sentBefore = segment.sentAt;
    segment.sentAt = now;
    this.#segments.sent(segment, path);
    this.#expect(this.#dueAt(segment));
    return segment;
  }

  #dueAt({ sentAt, tries, path }: Segment): number {
    const isMeasured = path?.roundTrip.smoothedMs !== undefined;
    return sentAt + (isMeasured ? path.roundTrip : this.#roundTrip).timeoutMs(tries);
  }

  #cut(maxBytes: number, now: number, isAlone: boolean): Segment | undefined {
    const size = Math.min(this.sendableBytes, maxBytes);
    const emptiesQueue = size === this.#queue.bytes;
    // Cut short by an event that is nearly full: the next one has room.
    if (size < MIN_CUT_BYTES && size < this.sendableBytes && !isAlone) return undefined;
    if (size === this.sendableBytes && size > 0 && !this.#isWorthCutting(size)) return undefined;
    const fin = this.#finQueued && !this.#finSent && emptiesQueue && this.#room > size;
    if (size === 0 && !fin) return undefined;
    const offset = this.#nextOffset;
    const end = offset + size + (fin ? 1 : 0);
    const segment: Segment = {
      offset,
      data: this.#queue.take(size),
      fin,
      end,
      sentAt: now,
      sentBefore: now,
      tries: 0,
      lost: false,
      arrived: false,
    };
    this.#segments.add(segment);
    this.#nextOffset = end;
    this.#finSent ||= fin;
    return segment;
  }

  /**
   * Takes an acknowledgement. Returns whether it brings anything new, or nothing waits for one; undefined where
   * it acknowledges what was never sent, which breaks the protocol.
   * @param delayMs how long the peer says that it has waited with it
   */
  acknowledge(
    ack: number,
    have: readonly Range[],
    now: number,
    delayMs?: number,
  ): boolean | undefined {
    if (ack > this.#nextOffset) return undefined;
    this.#acked = Math.max(this.#acked, ack);
    let isNew = false;
    for (const newest of this.#segments.acknowledge(ack, have)) {
      measure(newest, this.#roundTrip, now - (delayMs ?? 0));
      this.#arrivedSentAt = Math.max(this.#arrivedSentAt, newest.sentAt);
      // It waits no longer than that with what arrives in between.
      if (delayMs !== undefined) newest.path?.flight.acknowledgedWithin(this.#roundTrip.ackDelayMs);
      isNew = true;
    }
    if (!isNew) return this.#segments.isEmpty;
    // What waited for the peer to come back is looked at again.
    this.#expect(now);
    return true;
  }

  /** Counts this as acknowledged where it is all that isn't, and was sent once. Returns whether it is. */
  letGo(segment: Segment): boolean {
    if (segment.tries > 1 || this.#queue.bytes > 0 || !this.#segments.isOnly(segment)) return false;
    this.#segments.acknowledge(this.#nextOffset, []);
    return true;
  }

  /** These segments did not get through, for certain: a relay refused the event that carried them. */
  lose(segments: Iterable<Segment>): void {
    this.#segments.lose(segments);
  }

  /** Nothing in flight can be counted on: what carried it, this path or all of them, is gone. */
  loseAll(path?: RelayPath): void {
    const all = [...this.#segments];
    this.#segments.lose(path === undefined ? all : all.filter((each) => each.path === path));
  }

  /** The stream is over: nothing counts as on its way any more. */
  release(): void {
    this.#segments.release();
  }

  /** Marks what timed out as lost. */
  tick(now: number): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    this.#deadline = undefined;
    for (const segment of this.#segments) {
      if (segment.arrived || segment.lost) continue;
      const due = this.#dueAt(segment);
      if (now >= due) {
        segment.path?.timedOut(segment.data.length, segment.sentAt, now);
        this.#segments.lose([segment]);
      } else this.#expect(due);
      // As long as nothing that left later has arrived, it may all be waiting at the relay: one is repeated, not the
      // whole window, or a peer that stands still for a while would be cut off for what has piled up.
      if (segment.sentAt > this.#arrivedSentAt) return;
    }
  }

  /** Whether to ask a peer whose window is closed if it still is; arms the next time to ask. */
  probe(now: number): boolean {
    const blocked =
      this.#segments.isEmpty &&
      this.#room <= 0 &&
      (this.#queue.bytes > 0 || (this.#finQueued && !this.#finSent));
    if (!blocked) {
      this.#probeAt = undefined;
      return false;
    }
    this.#probeAt ??= now + this.#roundTrip.timeoutMs(this.#probes + 1);
    return now >= this.#probeAt;
  }

  /** The offset of an empty DATA that asks for a window; counts the question. */
  pullProbe(now: number): number {
    this.#probes += 1;
    this.#probeAt = now + this.#roundTrip.timeoutMs(this.#probes + 1);
    return this.#nextOffset;
  }

  /** When `tick` or `probe` will have something to do. */
  get wakeAt(): number | undefined {
    const deadline = this.#segments.isEmpty ? undefined : this.#deadline;
    if (this.#probeAt === undefined) return deadline;
    return deadline === undefined ? this.#probeAt : Math.min(deadline, this.#probeAt);
  }

  #expect(at: number): void {
    if (this.#deadline === undefined || at < this.#deadline) this.#deadline = at;
  }
}
