// Streams through the tunnel as the ways in ask for them, and how they end together with their clients.

import type { Duplex } from 'node:stream';
import type { WebExit } from './clearnet/known-exits.js';
import type { ResolvedHost } from './resolve.js';

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
