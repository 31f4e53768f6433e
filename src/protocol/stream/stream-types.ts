// What a stream's state machine is made with, what it is in, and what it gives out.

import type { RelayPath } from '../relay-path/relay-path.js';
import type { ConnectR, Message } from '../wire/message.js';
import type { Memory } from './receive-half.js';
import type { RoundTrip } from './round-trip.js';
import type { Segment } from './sending/segment.js';

/**
 * - `opening`: the entry asked and has no answer yet
 * - `dialling`: the exit was asked and hasn't answered yet
 * - `open`: bytes flow
 * - `over`: nothing more comes or goes; `error` says why, where it was no orderly end
 */
export type Phase = 'opening' | 'dialling' | 'open' | 'over';

/** `plain`: it knows NIP-443 alone. */
export type PeerKind = 'reliable' | 'plain' | 'unknown';

export interface StreamOptions {
  readonly key: string;
  readonly peerKind: PeerKind;
  /** Of reliable streams, up to which we speak them; default: the newest. */
  readonly version?: number | undefined;
  readonly destination: string;
  readonly roundTrip: RoundTrip;
  /** How much may be in flight toward us now, in bytes. */
  readonly windowBytes: () => number;
  /** For what arrives and is not yet taken. */
  readonly memory: Memory;
  /** Highest offset that the peer lets us send up to before it says more; 0 where it isn't known to answer. */
  readonly sendLimit: number;
  /** The bytes go over a connection that the exit makes to this address. */
  readonly reverse?: Pick<ConnectR, 'entryPublicAddress' | 'secret'> | undefined;
  /** OPEN says that this side takes part in looking for direct paths. */
  readonly direct?: boolean | undefined;
  readonly now: number;
  /** Told of what the application's side does to it (writes, reads, accepts, resets): the peer's knows what it does itself. */
  readonly onTouched?: ((key: string) => void) | undefined;
}

/** What an event has left for one more message. */
export interface Room {
  /** Of data. */
  readonly maxBytes: number;
  /** Of `have`. */
  readonly maxRanges: number;
  /** Nothing else is in the event yet. */
  readonly isAlone: boolean;
  readonly path?: RelayPath;
}

/** A message that leaves, and the segment in it to be told of when the event is refused. */
export interface Outgoing {
  readonly message: Message;
  readonly segment?: Segment;
}
