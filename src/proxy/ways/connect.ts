// CONNECT: what is asked for, and which way it goes.
//
//   client ─ CONNECT ─┬─ .nostr ─┬─ terminate.ts    TLS ends here, pinned TLS goes on
//                     │          └─ passthrough.ts  the client's TLS goes through
//                     └─ other ─── clearnet.ts      dialled directly, or through an exit
//   and then, whichever it was, tunnel/splice.

import type { Socket } from 'node:net';
import { abortConnection } from '../../common/abort-connection.js';
import { type NwsError, toNwsError } from '../../errors.js';
import { replyFailureRaw } from '../../http/reply.js';
import { Caller, logFailure } from '../caller.js';
import { connectClearnet } from '../clearnet/clearnet.js';
import type { Entry } from '../entry.js';
import { type HostPort, parseHostPort } from '../host-port.js';
import { ignoreErrors } from '../streams.js';
import { passThrough } from '../tls/passthrough.js';
import { terminate } from '../tls/terminate.js';

/**
 * Serves one CONNECT: settles when the connection is spliced or refused. Never rejects.
 * @param authority what stands behind the method
 * @param head bytes that came along with the request
 */
export async function handleConnect(
  entry: Entry,
  authority: string,
  client: Socket,
  head: Buffer,
): Promise<void> {
  ignoreErrors(client);
  if (client.destroyed) return;
  let at: HostPort;
  try {
    at = parseHostPort(authority);
  } catch (error) {
    replyFailureRaw(client, toNwsError(error));
    return;
  }
  const caller = new Caller(client, head, at);
  try {
    await route(entry, caller);
  } catch (error) {
    caller.handOver();
    refuse(caller, toNwsError(error));
    if (!caller.signal.aborted) logFailure(entry, at.host, toNwsError(error));
  }
}

function route(entry: Entry, caller: Caller): Promise<void> {
  if (!entry.resolver.isNostr(caller.at.host)) return connectClearnet(entry, caller);
  return entry.tls === 'terminate' ? terminate(entry, caller) : passThrough(entry, caller);
}

/** Once 200 is out, a second answer would only be garbage to the client: the connection is reset. */
function refuse({ client, isAccepted }: Caller, failure: NwsError): void {
  if (isAccepted) abortConnection(client);
  else replyFailureRaw(client, failure);
}
