// What the ways in share: the parts of one running entry, and what one client connection brings along.
// Types and the smallest helpers only; proxy.ts builds the parts.

import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { LocalAuthority } from '../tls/authority/authority.js';
import type { ExitChooser } from './clearnet/exits.js';
import type { WebExit } from './clearnet/known-exits.js';
import type { HostResolver, ResolvedHost } from './resolve.js';
import type { ShownPins } from './tls/passthrough.js';
import type { PinnedDialer } from './tls/pinned.js';

/**
 * Opens a stream through the tunnel; rejects with an NwsError. An aborted signal ends opening and stream alike.
 * With `early`, an exit that is known well isn't waited for: its refusal comes as the stream's error.
 */
export type OpenStream = (
  to: ResolvedHost,
  port: number,
  signal: AbortSignal,
  early?: boolean,
) => Promise<Duplex>;

/**
 * Opens a stream through an exit to `host:port` of the clear web, which the exit resolves and dials. Rejects with
 * an NwsError. An aborted signal ends the opening.
 */
export type OpenVia = (exit: WebExit, destination: string, signal: AbortSignal) => Promise<Duplex>;

export interface Entry {
  readonly resolver: HostResolver;
  readonly open: OpenStream;
  readonly pinned: PinnedDialer;
  readonly authority: Pick<LocalAuthority, 'leafFor'>;
  /** For `passthrough`. */
  readonly shown: ShownPins;
  readonly tls: 'terminate' | 'passthrough';
  /** What to do with hosts that aren't `.nostr`. */
  readonly clearnet: 'direct' | 'exit' | 'deny';
  /** For `clearnet: 'exit'`. */
  readonly exits?: Pick<ExitChooser, 'open'> | undefined;
  readonly log: Logger;
}

/** Ends a stream together with the client that it serves; its errors are dealt with where it closes. */
export function endWith<S extends Duplex>(stream: S, signal: AbortSignal): S {
  const end = (): void => {
    stream.destroy();
  };
  ignoreErrors(stream);
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', end));
  return stream;
}

/** An 'error' is always followed by 'close'; unheard, it would end the process. */
export function ignoreErrors(stream: Duplex): void {
  stream.on('error', () => undefined);
}
