// CONNECT, asked for by HTTP here and by SOCKS in socks/: which way it goes.
//
//   client ─ CONNECT ─┬─ .nostr ─┬─ terminate.ts    TLS ends here, pinned TLS goes on
//                     │          └─ passthrough.ts  the client's TLS goes through
//                     └─ other ─── clearnet.ts      dialled directly, or through an exit
//   and then, whichever it was, tunnel/splice.

import type { Socket } from 'node:net';
import { toNwsError } from '../../errors.js';
import { type HostPort, parseHostPort } from '../../http/host-port.js';
import { replyFailureRaw } from '../../http/reply.js';
import { type Answers, Caller, logFailure } from '../caller.js';
import { connectClearnet } from '../clearnet/clearnet.js';
import type { Entry } from '../entry.js';
import { ignoreErrors } from '../streams.js';
import { passThrough } from '../tls/passthrough.js';
import { terminate } from '../tls/terminate.js';

const HTTP: Answers = {
  accept: (client) => void client.write('HTTP/1.1 200 Connection established\r\n\r\n'),
  refuse: (client, failure) => replyFailureRaw(client, failure),
};

/**
 * Serves one CONNECT of HTTP: settles when the connection is spliced or refused. Never rejects.
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
  await connect(entry, new Caller(client, head, at, HTTP));
}

/** Connects a client, whatever it speaks: settles when the connection is spliced or refused. Never rejects. */
export async function connect(entry: Entry, caller: Caller): Promise<void> {
  try {
    await route(entry, caller);
  } catch (error) {
    caller.handOver();
    caller.refuse(toNwsError(error));
    if (!caller.signal.aborted) logFailure(entry, caller.at.host, toNwsError(error));
  }
}

function route(entry: Entry, caller: Caller): Promise<void> {
  if (!entry.resolver.isNostr(caller.at.host)) return connectClearnet(entry, caller);
  return entry.tls === 'terminate' ? terminate(entry, caller) : passThrough(entry, caller);
}
