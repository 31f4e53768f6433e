// A stream as the session hands it to an exit, with the entry's end of it and what became of it.

import type { NwsError } from '../../src/errors.js';
import type { IncomingStream } from '../../src/tunnel/session.js';
import { duplexPair, type PairEnd } from './duplex-pair.js';

export const ENTRY = 'e'.repeat(64);

export interface FakeIncoming {
  readonly incoming: IncomingStream;
  /** The entry's end. */
  readonly client: PairEnd;
  /** The exit's end. */
  readonly stream: PairEnd;
  readonly accepted: Promise<void>;
  readonly refused: Promise<NwsError>;
  /** The entry gives up before it has an answer. */
  giveUp(): void;
}

export function fakeIncoming(destination = ''): FakeIncoming {
  const [client, stream] = duplexPair();
  const gaveUp = new AbortController();
  let onAccept: () => void = () => undefined;
  let onRefuse: (error: NwsError) => void = () => undefined;
  const accepted = new Promise<void>((resolve) => (onAccept = resolve));
  const refused = new Promise<NwsError>((resolve) => (onRefuse = resolve));
  const incoming: IncomingStream = {
    peer: ENTRY,
    key: '8c4bd65e-3a3c-4e4b-93a8-6a0b1fb8d9ac',
    destination,
    reverse: undefined,
    signal: gaveUp.signal,
    accept: () => {
      onAccept();
      return stream;
    },
    refuse: (error: NwsError) => onRefuse(error),
  };
  return { incoming, client, stream, accepted, refused, giveUp: () => gaveUp.abort() };
}
