// A client of HTTP/2 by CONNECT, as browsers are: TLS with the local CA, and one connection for everything.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { readAll } from '../../support/read-all.js';
import type { World } from '../support/world.js';

/** Without it, closing one of Node's streams says END_STREAM first, and RST_STREAM then: a whole upload, thrown away. */
export const CUTTABLE = { waitForTrailers: true };

/** As large as browsers have it: 64 KiB, Node's own, take half a minute for 8 MB over a round trip of 200 ms. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** TLS to the exit, with one protocol agreed on. */
export async function secureTo(world: World, protocol = 'h2'): Promise<TLSSocket> {
  const { domain } = world.exit;
  const secure = connectTls({
    socket: await world.connect(domain, 443),
    servername: domain,
    ca: readFileSync(world.proxy.caPath),
    ALPNProtocols: [protocol],
  });
  secure.on('error', () => undefined);
  await once(secure, 'secureConnect');
  return secure;
}

export async function http2To(world: World): Promise<ClientHttp2Session> {
  const socket = await secureTo(world);
  const session = connect(`https://${world.exit.domain}`, {
    createConnection: () => socket,
    settings: { initialWindowSize: WINDOW_BYTES },
  });
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  session.setLocalWindowSize(WINDOW_BYTES);
  return session;
}

export interface Got {
  readonly head: IncomingHttpHeaders;
  readonly body: string;
}

export async function answerTo(stream: ClientHttp2Stream): Promise<Got> {
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  return { head, body: (await readAll(stream)).toString() };
}

export function get(session: ClientHttp2Session, path: string, fields: OutgoingHttpHeaders = {}) {
  return answerTo(session.request({ ':path': path, ...fields }));
}
