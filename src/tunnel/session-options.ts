// What a session is made with, and what it is asked for.

import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Signer } from '../crypto/signer.js';
import type { RelayPool } from '../relay/pool.js';
import type { Way } from './accounts/open-stream.js';
import type { DirectEntry } from './direct/direct-entry.js';
import type { DirectExit } from './direct/direct-exit.js';
import type { IncomingStream } from './opening/incoming.js';
import type { ReverseOptions } from './reverse/opening.js';

export interface SessionOptions {
  readonly pool: RelayPool;
  readonly log: Logger;
  /** The exit's key, or the key that an entry was told to use; else an entry makes one for each exit. */
  readonly signer?: Signer | undefined;
  /** Where an exit listens. */
  readonly relays?: readonly string[] | undefined;
  /** Lets exits connect back to us (CONNECTR). */
  readonly reverse?: ReverseOptions | undefined;
  /** Looks for direct paths: as the entry, or as the exit. It is closed with the session. */
  readonly directEntry?: DirectEntry | undefined;
  readonly directExit?: DirectExit | undefined;
  /** Whether a client may use this exit, by pubkey (hex); default: everyone. */
  readonly admits?: ((client: string) => boolean) | undefined;
  /** Streams at once; default: MAX_STREAMS. */
  readonly maxStreams?: number | undefined;
  /** Up to which version this side speaks reliable streams; for tests with peers of an earlier one. */
  readonly version?: number | undefined;
  /** Makes this the exit's side: called for each stream that somebody asks for. */
  readonly onIncoming?: ((incoming: IncomingStream) => void) | undefined;
}

export interface OpenOptions {
  /** The exit's pubkey, hex. */
  readonly peer: string;
  readonly relays: readonly string[];
  /** `host:port` as the exit is to see it. */
  readonly destination: string;
  /** Whether the exit says that it speaks reliable streams. */
  readonly reliable?: boolean | undefined;
  /** Up to which version of them it says so. */
  readonly version?: number | undefined;
  /**
   * Don't wait for the answer of an exit that is known to speak reliable streams: what is written goes along
   * with the CONNECT, and a refusal comes as the stream's error.
   */
  readonly early?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Opened {
  readonly stream: Duplex;
  /** What the stream is called on both sides, and in the logs of both. */
  readonly key: string;
  /** How its bytes travel. */
  readonly way: Way;
}
