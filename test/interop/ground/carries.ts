// What a tunnel has to carry, over streams that somebody else opens: a page, a download, an upload, a WebSocket.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { digest, generated } from '../../e2e/support/bytes.js';

/** Opens a stream to a Site. */
export type Dial = () => Promise<Duplex>;

const HOST = 'site.example';

export async function fetchPage(dial: Dial, path = '/page'): Promise<string> {
  return text(await ask(dial, path));
}

export async function carriesPage(dial: Dial): Promise<void> {
  expect(await fetchPage(dial, '/page')).to.equal('GET /page\n');
}

export async function carriesDownload(dial: Dial, length: number): Promise<void> {
  const got = await digest(await ask(dial, `/bytes/${length}`));
  expect(got).to.deep.equal(await digest(generated(length)));
}

export async function carriesUpload(dial: Dial, length: number): Promise<void> {
  const body = await buffer(generated(length));
  const answer = JSON.parse(await text(await ask(dial, '/digest', body)));
  expect(answer).to.deep.equal(await digest(generated(length)));
}

/** Several sizes after each other. */
export async function carriesWebSocket(dial: Dial): Promise<void> {
  const stream = await dial();
  const socket = new WebSocket(`ws://${HOST}/chat`, { createConnection: () => stream as never });
  socket.on('error', () => undefined); // what is awaited fails by it
  await once(socket, 'open');
  for (const size of [0, 1, 200, 50_000]) {
    const message = Buffer.alloc(size, size % 251);
    const answer = once(socket, 'message') as Promise<[Buffer]>;
    socket.send(message);
    const [data] = await answer;
    expect(data.equals(message), `${size} bytes`).to.equal(true);
  }
  const closed = once(socket, 'close');
  socket.terminate();
  await closed;
}

/** Ends the stream once the answer has been read. */
async function ask(dial: Dial, path: string, body?: Buffer): Promise<IncomingMessage> {
  const stream = await dial();
  stream.on('error', () => undefined);
  const outgoing = request({
    host: HOST,
    path,
    method: body === undefined ? 'GET' : 'POST',
    createConnection: () => stream,
  });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer.once('close', () => stream.destroy());
}
