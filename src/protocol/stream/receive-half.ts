// The receiving half of a reliable stream: puts bytes in order and keeps what came early within the window. When that is
// acknowledged is ack-schedule.ts. Pure: the time comes in as an argument.

import type { Range } from '../wire/message.js';
import { AckSchedule } from './ack-schedule.js';

interface Piece {
  readonly offset: number;
  readonly data: Buffer;
}

/** Early pieces kept at once: a peer that sends a window in single bytes is held to this. */
const MAX_EARLY_PIECES = 4_096;

/** What is kept of a NIP-443 peer, which knows no windows, until the application takes it. */
const MAX_APPENDED_BYTES = 16 * 1024 * 1024;

export type Reception = 'new' | 'nothing new' | 'violation';

/** Where the memory for what arrives comes from. */
export interface Memory {
  /** Takes so many bytes, or says that there is no room; what `must` be taken is. */
  take(bytes: number, must: boolean): boolean;
  give(bytes: number): void;
}

export class ReceiveHalf {
  readonly #windowBytes: () => number;
  readonly #memory: Memory;
  readonly #touched: () => void;
  readonly acks = new AckSchedule();
  /** In order and not taken by the application. */
  readonly #ready: Buffer[] = [];
  /** Ahead of a gap, by offset, without overlaps. */
  #early: Piece[] = [];
  #readyBytes = 0;
  #earlyBytes = 0;
  /** Every byte below has arrived. */
  #next = 0;
  /** Everything below was taken by the application. */
  #taken = 0;
  #finOffset: number | undefined;
  /** Highest offset that the peer was allowed to send up to. */
  #offered: number;
  /** The highest `ack` that was said. */
  #said = 0;

  /**
   * @param windowBytes how much may be in flight toward us now; asked each time, as streams share a bound
   * @param touched told when the application has changed something
   */
  constructor(
    windowBytes: () => number,
    firstWindowBytes: number,
    memory: Memory,
    touched: () => void = () => undefined,
  ) {
    this.#windowBytes = windowBytes;
    this.#memory = memory;
    this.#touched = touched;
    this.#offered = firstWindowBytes;
  }

  /** Bytes held for the application, in order or not. */
  get bufferedBytes(): number {
    return this.#readyBytes + this.#earlyBytes;
  }

  /** The peer's end has arrived, and everything before it. */
  get hasEnd(): boolean {
    return this.#finOffset !== undefined && this.#next > this.#finOffset;
  }

  /** The peer was told so. */
  get hasSaidEnd(): boolean {
    return this.#finOffset !== undefined && this.#said > this.#finOffset;
  }

  /** The peer has ended its direction, and the application has taken every byte. */
  get finished(): boolean {
    return this.hasEnd && this.#readyBytes === 0;
  }

  get ack(): number {
    return this.#next;
  }

  /** The window to write into a message that leaves now. */
  get window(): number {
    this.#offered = Math.max(this.#offered, this.#wanted);
    this.acks.windowSaid();
    return this.#offered;
  }

  get #wanted(): number {
    return this.#taken + this.#windowBytes();
  }

  /** Something arrived ahead of what is missing. */
  get hasGap(): boolean {
    return this.#early.length > 0;
  }

  /** The first runs that arrived ahead of a gap, at most `limit` of them. */
  have(limit: number): Range[] {
    const ranges: [number, number][] = [];
    for (const { offset, data } of this.#early) {
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === offset) last[1] = offset + data.length;
      else if (ranges.length === limit) break;
      else ranges.push([offset, offset + data.length]);
    }
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === this.#finOffset) last[1] += 1;
    return ranges;
  }

  /**
   * Takes bytes from `offset`, with the fin behind them or not.
   * @param must whether they can't come again, and so need room
   */
  receive(offset: number, data: Buffer, fin: boolean, now: number, must = false): Reception {
    const end = offset + data.length;
    if (end > this.#offered || !this.#finFits(end, fin)) return 'violation';
    // Windows are promised more freely than there is memory. What doesn't fit counts as lost: it comes again.
    // Never so what the application waits for: everything that came early would wait with it.
    const isWaitedFor = offset <= this.#next && this.#readyBytes === 0;
    if (end > this.#next && !this.#memory.take(data.length, must || isWaitedFor))
      return 'nothing new';
    if (fin) this.#finOffset = end;
    const before = this.#next;
    const earlyBefore = this.#earlyBytes;
    const heldBefore = this.bufferedBytes;
    const isNew = end > this.#next;
    if (data.length > 0 && isNew) this.#place(offset, data);
    this.#advance();
    if (isNew) this.#memory.give(data.length - (this.bufferedBytes - heldBefore));
    if (this.#next > before || this.#earlyBytes > earlyBefore) {
      this.acks.arrived(now, earlyBefore === 0 && this.#earlyBytes > 0);
      return 'new';
    }
    this.acks.asked(now);
    return 'nothing new';
  }

  /** Takes bytes that carry no offset, behind those that came before; false where there is no room for them. */
  append(data: Buffer): boolean {
    if (this.#readyBytes + data.length > MAX_APPENDED_BYTES) return false;
    if (!this.#memory.take(data.length, false)) return false;
    this.#deliver(data);
    return true;
  }

  /** A fin stays where it is, and nothing lies behind it. */
  #finFits(end: number, fin: boolean): boolean {
    if (this.#finOffset !== undefined)
      return fin ? end === this.#finOffset : end <= this.#finOffset;
    if (!fin) return true;
    const last = this.#early.at(-1);
    return end >= this.#next && (last === undefined || last.offset + last.data.length <= end);
  }

  #place(offset: number, data: Buffer): void {
    const from = Math.max(offset, this.#next);
    if (from === this.#next && this.#early.length === 0) {
      this.#deliver(data.subarray(from - offset));
      return;
    }
    if (this.#early.length >= MAX_EARLY_PIECES && from > this.#next) return;
    this.#insert({ offset: from, data: data.subarray(from - offset) });
  }

  /** Puts a piece between the early ones; where it overlaps them, they stay. */
  #insert(piece: Piece): void {
    let index = this.#early.length;
    while (index > 0 && this.#early[index - 1]!.offset >= piece.offset) index -= 1;
    const previous = this.#early[index - 1];
    const previousEnd = previous === undefined ? 0 : previous.offset + previous.data.length;
    let from = Math.max(piece.offset, previousEnd);
    const end = piece.offset + piece.data.length;
    const added: Piece[] = [];
    let after = index;
    while (from < end) {
      const next = this.#early[after];
      const to = Math.min(end, next?.offset ?? end);
      if (to > from) {
        const data = piece.data.subarray(from - piece.offset, to - piece.offset);
        added.push({ offset: from, data });
        this.#earlyBytes += data.length;
      }
      if (next === undefined || next.offset >= end) break;
      added.push(next);
      from = next.offset + next.data.length;
      after += 1;
    }
    this.#early.splice(index, after - index, ...added);
  }

  #advance(): void {
    let done = 0;
    for (const { offset, data } of this.#early) {
      if (offset !== this.#next) break;
      this.#earlyBytes -= data.length;
      this.#deliver(data);
      done += 1;
    }
    if (done > 0) this.#early.splice(0, done);
    if (this.#next === this.#finOffset) this.#next += 1;
  }

  #deliver(data: Buffer): void {
    this.#ready.push(data);
    this.#readyBytes += data.length;
    this.#next += data.length;
  }

  /** The next bytes for the application, or undefined. */
  take(now: number): Buffer | undefined {
    const data = this.#ready.shift();
    if (data === undefined) return undefined;
    this.#readyBytes -= data.length;
    this.#memory.give(data.length);
    this.#taken += data.length;
    const opened = this.#wanted - this.#offered;
    if (!this.hasEnd && opened > 0) this.acks.opened(opened, this.#windowBytes(), now);
    this.#touched();
    return data;
  }

  /** Lets go of everything that nobody will take any more. */
  discard(): void {
    this.#memory.give(this.bufferedBytes);
    this.#ready.length = 0;
    this.#early = [];
    this.#readyBytes = 0;
    this.#earlyBytes = 0;
  }

  /** Makes an acknowledgement due at once. */
  acknowledge(now: number): void {
    this.acks.dueBy(now);
  }

  ackDue(now: number): boolean {
    return this.ackAt !== undefined && now >= this.ackAt;
  }

  get ackAt(): number | undefined {
    return this.acks.dueAt;
  }

  /** A message that carries the acknowledgement leaves. */
  acknowledged(): void {
    this.acks.done();
    this.#said = this.#next;
  }
}
