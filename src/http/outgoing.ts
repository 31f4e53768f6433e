// The seam of the engine: a request on its way to an origin, whichever version of HTTP that speaks. It is what
// node:http's ClientRequest is; forward.ts joins it with the request of a client.

import type { Readable, Writable } from 'node:stream';
import type { RawHeaders } from './headers.js';

/** A head of 1xx. */
export interface Interim {
  readonly statusCode?: number | undefined;
  readonly rawHeaders: string[];
}

/** The answer, with its body. One that breaks off emits `error`, or `close` while it isn't complete. */
export interface Answer extends Readable, Interim {
  readonly statusMessage?: string | undefined;
  /** Filled when the body has ended. */
  readonly rawTrailers: string[];
  /** Whether all of the body came. */
  readonly complete: boolean;
  /** Whether the head is known to be all of it. */
  readonly isEmpty?: boolean;
}

/** What a request to an origin is made of. */
export interface OutgoingHead {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Raw pairs without hop-by-hop fields; Host once. */
  readonly headers: RawHeaders;
  readonly hasBody: boolean;
  /** Whether the client waits for the origin's word before it sends the body. */
  readonly expectsContinue: boolean;
  /** Whether it must not go out on a connection that was used before. */
  readonly isFresh: boolean;
}

/**
 * Emits `information` (Interim), then `response` (Answer), or `error`, and `socket` once it has a connection.
 * To be ended also where it has no body. Destroyed, it leaves nothing at the origin.
 */
export interface Outgoing extends Writable {
  /** Whether it has gone out again by itself as often as it may. */
  readonly isSpent?: boolean;
  addTrailers(pairs: readonly [string, string][]): void;
}

/** @throws NwsError for what can't be sent at all, as `connection_limit_reached`. */
export type SendOut = (head: OutgoingHead) => Outgoing;
