// What the state of a peer is made with, and what it gives out.

import type { PlainOutgoing } from '../plain/plain-lane.js';
import type { Memory } from '../stream/receive-half.js';
import type { StreamState } from '../stream/stream-state.js';

export interface PeerOptions {
  readonly role: 'entry' | 'exit';
  /** Of reliable streams, up to which we speak them; default: the newest. */
  readonly version?: number | undefined;
  /** How much may be in flight toward us on one stream now, in bytes. */
  readonly windowBytes: () => number;
  /** For what arrives and is not yet taken. */
  readonly memory: Memory;
  /** How much may be on its way to this peer, as far as memory goes, in bytes. */
  readonly flightShareBytes: () => number;
  /** As an exit: takes part in looking for direct paths, and says so. */
  readonly direct?: boolean | undefined;
  /** A fresh random UUID. */
  readonly newKey: () => string;
  readonly now: number;
}

/** A message that leaves in an event of its own, toward a NIP-443 peer. */
export interface PlainParcel {
  readonly stream: StreamState;
  readonly outgoing: PlainOutgoing;
}
