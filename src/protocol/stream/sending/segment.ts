// A run of bytes of a stream that was sent and is kept until it is acknowledged.

import type { RelayPath } from '../../relay-path/relay-path.js';

/** A run of bytes that was sent and is not acknowledged. */
export interface Segment {
  readonly offset: number;
  readonly data: Buffer;
  readonly fin: boolean;
  /** Offset behind the last byte, and behind the fin where there is one. */
  readonly end: number;
  /** Last transmission, and the one before it. */
  sentAt: number;
  sentBefore: number;
  tries: number;
  /** To be sent again. */
  lost: boolean;
  /** Arrived ahead of a gap, as the peer says in `have`. */
  arrived: boolean;
  /** What carried it last. */
  path?: RelayPath | undefined;
  /** Called once when it has arrived: whatever carried it last got through, or is no longer needed. */
  onArrived?: (() => void) | undefined;
}

/** Cuts a segment in two, the first with `at` bytes; the fin goes with the second. */
export function halves(segment: Segment, at: number): [Segment, Segment] {
  const middle = segment.offset + at;
  const { data, fin, offset, end } = segment;
  return [
    { ...segment, data: data.subarray(0, at), fin: false, offset, end: middle },
    { ...segment, data: data.subarray(at), fin, offset: middle, end },
  ];
}
