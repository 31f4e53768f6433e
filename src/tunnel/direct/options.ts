// What looking for direct paths is set up with, on either side, and what it tells of itself.

import type { Logger } from 'pino';
import type { HostPort } from '../../protocol/direct/servers.js';
import type { Path } from '../../protocol/wire/message.js';
import type { Judge } from './meeting/judge.js';
import type { SocketAddress } from './socket.js';

/** As settings say it. */
export interface DirectSettings {
  /** As the entry: the exits, by pubkey, that may learn our address; default: all. */
  readonly exits?: ReadonlySet<string> | undefined;
  /** Where this side is reached from outside, if that is known. */
  readonly address?: HostPort | undefined;
  /** Where the UDP socket is; default: a free port on every address. */
  readonly listen?: SocketAddress | undefined;
  /** Local addresses count, ours and theirs. */
  readonly local: boolean;
  /** Servers that tell the address from outside (RFC 8489). */
  readonly stun: readonly HostPort[];
}

export interface DirectOptions {
  readonly settings: DirectSettings;
  /** Judges addresses that the other side names, apart from local ones. */
  readonly judge: Judge;
  /** The addresses of this machine: `address/bits` each. */
  readonly ownAddresses: () => readonly string[];
  readonly log: Logger;
}

/** Says something to a peer, through the relays. */
export type Say = (peer: string, message: Path) => void;

/**
 * - `standing`: new streams take it
 * - `arranging`: both sides look for it
 * - `resting`: it was not to be had, for `reason`; tried again later
 * - `refused`: one side doesn't take part, as `reason` says
 */
export type DirectState = 'standing' | 'arranging' | 'resting' | 'refused';

/** How things are with one peer. */
export interface DirectReport {
  readonly peer: string;
  readonly state: DirectState;
  /** `address:port` of the other side, where the path stands. */
  readonly remote?: string | undefined;
  readonly rttMs?: number | undefined;
  /** Why there is none. */
  readonly reason?: string | undefined;
}
