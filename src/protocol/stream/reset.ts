// RESET messages and the errors that they stand for.

import { type ErrorCode, isErrorCode, NwsError } from '../../errors.js';
import type { Reset } from '../wire/message.js';

/** A reason is one line, in characters. */
const MAX_DETAIL = 200;

/** The RESET that tells a peer of an error. */
export function resetFor(key: string, error: NwsError | undefined): Reset {
  const proxyError = error?.proxyError ?? 'proxy_internal_error';
  const detail = error?.message.slice(0, MAX_DETAIL);
  return { type: 'RESET', key, error: proxyError, ...(detail && { detail }) };
}

/** What a RESET says, as an error of ours. A word that isn't known here is kept in the message. */
export function errorOfReset({ error, detail }: Reset): NwsError {
  const code: ErrorCode = isErrorCode(error) ? error : 'connection_terminated';
  return new NwsError(code, detail ?? `the peer ended the stream: ${error}`);
}

/** What the peer did that breaks the protocol. */
export function violationOf(what: string): NwsError {
  return new NwsError('http_protocol_error', `the peer ${what}`);
}

/** For a stream whose bytes were let go of as soon as a relay had them, to an exit that turns out to be another. */
export function replaced(): NwsError {
  return new NwsError('connection_terminated', 'the exit was replaced by another');
}
