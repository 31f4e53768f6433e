// An answer of HTTP/1.x that breaks off: what its connection has still to say before it is kept, and no client takes the
// part for the whole.

import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { abortConnection } from '../../common/abort-connection.js';
import { values } from '../headers.js';
import type { Answer } from '../outgoing.js';

/** Ends the connection of `res`, whose head is written and whose `answer` will not be all of it. */
export function cutAnswer(res: ServerResponse, answer: Answer): void {
  const isFramed = res.chunkedEncoding || values(answer.rawHeaders, 'content-length').length > 0;
  if (isFramed) endInTurn(res);
  else abort(res);
}

/** The framing shows that bytes are missing. A reset would take answers along that are still on their way. */
function endInTurn(res: ServerResponse): void {
  const end = (): void => {
    const { socket } = res;
    socket?.end(() => socket.destroy());
  };
  // One that waits behind others has no socket yet; when it gets one, what it holds is written first.
  if (res.socket === null) res.once('socket', () => process.nextTick(end));
  else end();
}

/** To a client of HTTP/1.0 the end of the connection is the end of the answer, but not a reset. */
function abort(res: ServerResponse): void {
  const { socket } = res.req;
  if (socket instanceof Socket && !(socket instanceof TLSSocket)) abortConnection(socket);
  res.destroy();
}
