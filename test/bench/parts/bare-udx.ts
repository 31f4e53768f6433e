// Streams of UDX with nothing in or around them, one side of a pair. `send ID PORT BYTES` over the channel sends so many
// bytes on stream ID to the side at that port, `receive ID PORT BYTES` waits for them; each answers when that is done.

import { once } from 'node:events';
import { loadUdx, type UdxStream } from '../../../src/tunnel/direct/udx.js';

const HOST = '127.0.0.1';
const BUFFER_BYTES = 4 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024);

const udx = await loadUdx();
const socket = udx.createSocket();
socket.bind(0, HOST);
socket.setRecvBufferSize(BUFFER_BYTES);
socket.setSendBufferSize(BUFFER_BYTES);

async function send(stream: UdxStream, bytes: number): Promise<object> {
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    if (!stream.write(CHUNK.subarray(0, left))) await once(stream, 'drain');
  }
  stream.end();
  return { sent: true };
}

async function receive(stream: UdxStream): Promise<object> {
  stream.on('data', () => undefined);
  await once(stream, 'end');
  stream.end();
  return { received: true };
}

process.on('message', async (question: string) => {
  const [verb, id, port, bytes] = question.split(' ');
  if (verb !== 'send' && verb !== 'receive') return;
  const stream = udx.createStream(Number(id));
  stream.connect(socket, Number(id), Number(port), HOST);
  process.send?.(await (verb === 'send' ? send(stream, Number(bytes)) : receive(stream)));
});
console.log(JSON.stringify({ port: String(socket.address()!.port) }));
