// What a program that uses the library can listen to: streams, relays and pins as they come and go. Listeners are called
// between turns, so that what one throws is its own program's matter and disturbs no stream.

import { EventEmitter } from 'node:events';
import type { ErrorCode } from '../errors.js';
import type { RelayEvent } from '../relay/link-types.js';
import type { StreamFacts } from './accounts/open-stream.js';

/** A stream is open. */
export interface StreamOpened extends StreamFacts {
  /** What has become of it. */
  readonly state: 'opened';
}

/** A stream that was open is over. */
export interface StreamEnded extends StreamFacts {
  /** What has become of it. */
  readonly state: 'ended';
  /** From the client to the destination. */
  readonly bytesUp: number;
  /** The way back. */
  readonly bytesDown: number;
  /** From its opening. */
  readonly durationMs: number;
  /** Why, where it was broken off. */
  readonly code?: ErrorCode | undefined;
}

/** A stream was asked for and isn't to be had. */
export interface StreamRefused extends StreamFacts {
  /** What has become of it. */
  readonly state: 'refused';
  /** Why. */
  readonly code: ErrorCode;
  /** The same in words. */
  readonly message: string;
}

/** What becomes of a stream. */
export type StreamEvent = StreamOpened | StreamEnded | StreamRefused;

/** An exit has shown a certificate for the first time, or another one than before. */
export interface PinEvent {
  /** The exit's key, hex. */
  readonly pubkey: string;
  /** SHA-256 of each certificate that its key signed for, hex. */
  readonly fingerprints: readonly string[];
  /** When the exit signed, seconds since 1970. */
  readonly createdAt: number;
  /** What was on record before. */
  readonly formerly?: readonly string[] | undefined;
}

/** Events by name, with what listeners are given. */
export interface NwsEvents {
  /** A stream was opened, has ended, or was refused. */
  stream: [event: StreamEvent];
  /** A relay is up, or down. */
  relay: [event: RelayEvent];
  /** An exit's certificate is new; of entries alone. */
  pin: [event: PinEvent];
}

/** Where the events of an entry or exit are told. */
export class Events extends EventEmitter<NwsEvents> {
  /** @internal */
  readonly onStream = (event: StreamEvent): void => this.#tell(() => this.emit('stream', event));
  /** @internal */
  readonly onRelay = (event: RelayEvent): void => this.#tell(() => this.emit('relay', event));
  /** @internal */
  readonly onPin = (event: PinEvent): void => this.#tell(() => this.emit('pin', event));

  #tell(emit: () => void): void {
    if (this.eventNames().length > 0) setImmediate(emit);
  }
}
