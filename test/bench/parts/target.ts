// A web server that answers `/N` with N bytes, and what is sent to it with its length.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

const CHUNK = Buffer.alloc(65_536, 'nostr web services ');

function* bytes(total: number): Generator<Buffer> {
  for (let left = total; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left);
}

const server = createServer((request, response) => {
  if (request.method !== 'GET') {
    let received = 0;
    request.on('data', (data: Buffer) => (received += data.length));
    request.once('end', () => response.end(String(received)));
    return;
  }
  const total = Number(request.url!.slice(1));
  response.setHeader('Content-Length', total);
  Readable.from(bytes(total)).pipe(response);
});
server.requestTimeout = 0; // a gigabyte takes its time on a machine that does something else
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
