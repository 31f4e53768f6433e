// The server's side of TLS toward the client, on a connection whose ClientHello was read already.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { carriesTls } from '../../common/abort-connection.js';
import { NwsError } from '../../errors.js';
import { CLIENT_HEAD_TIMEOUT_MS } from '../../limits.js';
import { ignoreErrors } from '../streams.js';

const HTTP_1_0 = 'http/1.0';
const HTTP_1_1 = 'http/1.1';

/**
 * What to offer an exit for a client: its own list. Few servers know `http/1.0` by name, and all of HTTP/1.1 answer
 * a request of 1.0 as one.
 */
export function upstreamAlpn(offered: readonly string[]): readonly string[] {
  const isOld = offered.includes(HTTP_1_0) && !offered.includes(HTTP_1_1);
  return isOld ? [...offered, HTTP_1_1] : offered;
}

/** What to tell the client of the exit's choice: of what it has offered itself. */
export function clientAlpn(offered: readonly string[], chosen: string): string {
  const isOld = chosen === HTTP_1_1 && !offered.includes(HTTP_1_1);
  return isOld ? HTTP_1_0 : chosen;
}

/**
 * Finishes the client's handshake.
 * @param said what the client has sent so far, its ClientHello at least
 * @param protocol the one ALPN protocol to choose; without it none is chosen
 * @throws NwsError `tls_protocol_error` when the client breaks it off or takes too long; it is destroyed then.
 */
export async function acceptTls(
  client: Socket,
  said: Buffer,
  secureContext: SecureContext,
  protocol?: string,
): Promise<TLSSocket> {
  client.unshift(said);
  carriesTls(client);
  const alpn = protocol === undefined ? {} : { ALPNProtocols: [protocol] };
  const socket = new TLSSocket(client, { isServer: true, secureContext, ...alpn });
  ignoreErrors(socket);
  const timer = setTimeout(() => socket.destroy(new Error('timed out')), CLIENT_HEAD_TIMEOUT_MS);
  const left = new AbortController();
  const leave = (): void => left.abort();
  client.once('close', leave);
  // Its end alone closes nothing here: these sockets may be half open.
  socket.once('end', leave);
  try {
    await once(socket, 'secure', { signal: left.signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    throw new NwsError('tls_protocol_error', 'the client broke off the TLS handshake', {
      hint: 'does it trust the local CA? `nws ca` says how',
      cause,
    });
  } finally {
    clearTimeout(timer);
    socket.off('end', leave);
  }
}
