// Asks an exit for its certificate the way a client would: through a proxy, in a TLS handshake.

import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { NwsError } from '../../errors.js';
import { type ProxyOptions, startProxy } from '../../proxy/proxy.js';
import { connectPinned } from '../../tls/handshake.js';
import type { Pin } from '../../tls/pins/pins.js';

/**
 * Resolves when the exit presents the pinned certificate.
 * @throws NwsError `pin_mismatch` where it presents another one, or why it couldn't be asked
 */
export async function checkServed(options: ProxyOptions, host: string, pin: Pin): Promise<void> {
  const listen = { host: '127.0.0.1', port: 0 };
  const proxy = await startProxy({ ...options, listen, tls: 'passthrough', requirePin: true });
  try {
    const socket = await connectThrough(proxy.url, `${host}:443`);
    (await connectPinned(socket, { pin, servername: host })).destroy();
  } finally {
    await proxy.close(0);
  }
}

/**
 * A connection to `authority` (`host:port`) through an HTTP proxy.
 * @throws NwsError `exit_unreachable` with the proxy's reason
 */
export function connectThrough(proxyUrl: string, authority: string): Promise<Socket> {
  const { hostname: host, port } = new URL(proxyUrl);
  const headers = { host: authority };
  return new Promise((resolve, reject) => {
    request({ host, port, method: 'CONNECT', path: authority, headers, agent: false })
      .once('error', reject)
      .once('connect', (response, socket, head) => {
        if (response.statusCode === 200) return resolve(socket);
        socket.destroy();
        reject(refusal(response, head));
      })
      .end();
  });
}

/** The first line of the answer; the proxy, which is ours, sends it together with the head. */
function refusal(response: IncomingMessage, head: Buffer): NwsError {
  const line = head
    .toString('utf8')
    .split('\n', 1)[0]
    ?.replace(/^nws: /, '');
  return new NwsError('exit_unreachable', line || `the proxy answers ${response.statusCode}`);
}
