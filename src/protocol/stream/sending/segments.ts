// What one direction has sent and keeps until it is acknowledged: which segments are there, which of them are lost, and
// how many bytes that is. When one counts as lost is the sending half's decision. Pure.

import type { RelayPath } from '../../relay-path/relay-path.js';
import type { Range } from '../../wire/message.js';
import { halves, type Segment } from './segment.js';

export class Segments {
  /** In the order of their offsets. */
  #all: Segment[] = [];
  #inFlightBytes = 0;
  #lostCount = 0;
  #lostBytes = 0;

  /** Bytes that are not known to have arrived. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Bytes to be sent again. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  get hasLost(): boolean {
    return this.#lostCount > 0;
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  get first(): Segment | undefined {
    return this.#all[0];
  }

  isOnly(segment: Segment): boolean {
    return this.#all.length === 1 && this.#all[0] === segment;
  }

  [Symbol.iterator](): Iterator<Segment> {
    return this.#all[Symbol.iterator]();
  }

  add(segment: Segment): void {
    this.#all.push(segment);
    this.#inFlightBytes += segment.data.length;
  }

  /**
   * Takes the first lost segment, which counts as sent from here on; one that is larger than `maxBytes` is cut if it
   * may be.
   */
  takeLost(maxBytes: number, mayCut: boolean): Segment | undefined {
    const index = this.#all.findIndex((segment) => segment.lost);
    const segment = this.#all[index]!;
    if (segment.data.length > maxBytes) {
      // Behind what is small in every event it would wait without end for one of its own.
      const isWorthIt = mayCut || maxBytes >= segment.data.length / 2;
      if (!isWorthIt || maxBytes === 0) return undefined;
      // The relay that carries it now takes less than the one before.
      this.#all.splice(index, 1, ...halves(segment, maxBytes));
      this.#lostCount += 1;
      return this.takeLost(maxBytes, mayCut);
    }
    this.#found(segment);
    return segment;
  }

  /** It goes over this path. */
  sent(segment: Segment, path: RelayPath | undefined): void {
    segment.path = path;
    path?.sent(segment.data.length);
  }

  /**
   * Everything below `ack` has arrived, and what lies in the ranges of `have`.
   * @returns of those that are new in that, the segment sent last over each path
   */
  acknowledge(ack: number, have: readonly Range[]): Iterable<Segment> {
    const newest = new Map<RelayPath | undefined, Segment>();
    const settle = (segment: Segment): void => {
      if (segment.arrived) return;
      const { path } = segment;
      if (segment.lost) this.#found(segment);
      else path?.arrived(segment.data.length);
      path?.heard();
      segment.arrived = true;
      this.#inFlightBytes -= segment.data.length;
      segment.onArrived?.();
      if (segment.sentAt >= (newest.get(path)?.sentAt ?? 0)) newest.set(path, segment);
    };
    let done = 0;
    while (done < this.#all.length && this.#all[done]!.end <= ack) {
      settle(this.#all[done]!);
      done += 1;
    }
    if (done > 0) this.#all.splice(0, done);
    if (have.length > 0) {
      for (const segment of this.#all) {
        if (have.some(([from, to]) => from <= segment.offset && segment.end <= to)) settle(segment);
      }
    }
    return newest.values();
  }

  /** These have to be sent again. */
  lose(segments: Iterable<Segment>): void {
    for (const segment of segments) {
      if (segment.arrived || segment.lost) continue;
      segment.lost = true;
      segment.path?.dropped(segment.data.length);
      this.#lostCount += 1;
      this.#lostBytes += segment.data.length;
    }
  }

  /** Nobody waits for them any more. */
  release(): void {
    for (const { arrived, lost, path, data } of this.#all) {
      if (!arrived && !lost) path?.dropped(data.length);
    }
  }

  #found(segment: Segment): void {
    segment.lost = false;
    this.#lostCount -= 1;
    this.#lostBytes -= segment.data.length;
  }
}
