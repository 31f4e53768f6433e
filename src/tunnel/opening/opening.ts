// Asks an exit for a stream and waits for its answer, or for the client to leave.

import { NwsError } from '../../errors.js';
import type { StreamState } from '../../protocol/stream/stream-state.js';
import type { StreamOptions } from '../../protocol/stream/stream-types.js';
import type { TunnelStream } from '../duplex/stream.js';
import type { Peer } from '../peer.js';

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly reverse?: StreamOptions['reverse'];
}

/**
 * Resolves when the exit has connected its target; an aborted signal ends the stream.
 * @throws NwsError why it can't be opened, or the signal's reason.
 */
export function openStream(
  peer: Peer,
  destination: string,
  signal?: AbortSignal,
): Promise<TunnelStream> {
  return ask(peer, destination, (state) => peer.attach(state), { signal }).answer;
}

export interface ByRelayOptions {
  readonly destination: string;
  readonly early?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The same, where with `early` nobody waits for the answer of an exit that speaks reliable streams.
 * @throws NwsError why it can't be opened, or the signal's reason.
 */
export async function openByRelay(
  peer: Peer,
  { destination, early, signal }: ByRelayOptions,
): Promise<TunnelStream> {
  if (early && peer.state.kind === 'reliable') return peer.openEarly(destination);
  const stream = await openStream(peer, destination, signal);
  if (stream.errored !== null) throw stream.errored;
  return stream;
}

/** @param onOpen makes the answer of the open stream, before anything else happens to it */
export function ask<T>(
  peer: Peer,
  destination: string,
  onOpen: (state: StreamState) => T,
  { signal, reverse }: AskOptions,
): { state: StreamState; answer: Promise<T> } {
  let asked: StreamState;
  const answer = new Promise<T>((resolve, reject) => {
    const done = (): void => signal?.removeEventListener('abort', aborted);
    const check = (): void => {
      // A NIP-443 exit never answers: what the client has to say is what it waits for.
      if (state.phase === 'opening' && state.plain === undefined) return;
      done();
      if (state.error !== undefined) reject(state.error);
      else resolve(onOpen(state));
    };
    const aborted = (): void => {
      state.reset(new NwsError('connection_terminated', 'the client left'), performance.now());
      peer.update();
      done();
      reject(signal!.reason);
    };
    const state = peer.open(destination, check, reverse);
    asked = state;
    signal?.addEventListener('abort', aborted, { once: true });
  });
  return { state: asked!, answer };
}
