// The TLS work of CONNECTR with nothing around it, in two processes: bare.ts exit HOST PORT, bare.ts entry HOST PORT. The
// entry ends its client's TLS behind a CONNECT; between both is TLS in TLS; the exit ends both.

import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect as connectTcp, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, createServer, TLSSocket } from 'node:tls';
import { newKeyPair, serverCertificate, validFor } from '../../../src/tls/x509/x509.js';

const [, , role, host, port] = process.argv as string[];
const to = { host: host!, port: Number(port) };
const keys = newKeyPair();
const fields = { ...validFor(1), names: ['bare.nostr'], publicKey: keys.publicKey };
const own = {
  cert: serverCertificate(fields, keys).toString(),
  key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  minVersion: 'TLSv1.3',
} as const;

function join(left: Duplex, right: Duplex): void {
  for (const side of [left, right]) side.on('error', () => void [left.destroy(), right.destroy()]);
  left.pipe(right).pipe(left);
}

function inside(socket: Duplex): TLSSocket {
  return new TLSSocket(socket as Socket, { isServer: true, ...own });
}

function exit(): Server {
  return createServer(own, (outer) => join(inside(outer), connectTcp(to)));
}

function entry(): Server {
  const server = createHttpServer();
  server.on('connect', (_request, client: Duplex) => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    const options = { rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const; // of no interest here
    const outer = connect({ ...to, ...options });
    join(inside(client), connect({ socket: outer, ...options }));
  });
  return server;
}

const server = role === 'exit' ? exit() : entry();
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: String((server.address() as AddressInfo).port) }));
});
