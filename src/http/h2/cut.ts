// How a session is broken off: so that nothing under way on it looks whole, to either side.

import type { Http2Session } from 'node:http2';
import { NwsError } from '../../errors.js';

/**
 * Ends a session and all its streams with `code`. An error is needed: without one, node:http2 leaves the code away,
 * says NO_ERROR, and has what is being read end like a whole body.
 */
export function cutSession(session: Http2Session, code: number): void {
  if (session.destroyed) return;
  session.destroy(new NwsError('connection_terminated', 'the HTTP/2 session was cut'), code);
}
