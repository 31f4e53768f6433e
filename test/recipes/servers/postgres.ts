// As much of a PostgreSQL server as psql needs for one answer (protocol 3.0, "Message Formats" in its manual).

import type { Socket } from 'node:net';
import { listenTcp } from '../../support/servers.js';
import type { Service } from '../ground.js';

/** Asks whether the server encrypts, by TLS or GSS. */
const WANTS_ENCRYPTION = new Set([80_877_103, 80_877_104]);
const READY = message('Z', Buffer.from('I'));

export async function postgres(): Promise<Service> {
  const { port, close } = await listenTcp(serve);
  return { target: `tcp://127.0.0.1:${port}`, stop: close };
}

function serve(socket: Socket): void {
  let held = Buffer.alloc(0);
  let isStarted = false;
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      const at = isStarted ? 1 : 0;
      if (held.length < at + 4) return;
      const end = at + held.readUInt32BE(at);
      if (held.length < end) return;
      const [kind, body] = [held.toString('latin1', 0, at), held.subarray(at + 4, end)];
      held = held.subarray(end);
      if (isStarted) onMessage(socket, kind);
      else if (WANTS_ENCRYPTION.has(body.readUInt32BE(0))) socket.write('N');
      else {
        isStarted = true;
        socket.write(Buffer.concat([message('R', Buffer.alloc(4)), READY]));
      }
    }
  });
  socket.on('end', () => socket.end());
}

function onMessage(socket: Socket, kind: string): void {
  if (kind === 'X') return void socket.end();
  const column = Buffer.concat([Buffer.from('greeting\0'), Buffer.alloc(18)]);
  column.writeUInt32BE(25, 15); // text
  const text = Buffer.from('hello from postgres');
  const value = Buffer.concat([number(1, 2), number(text.length, 4), text]);
  const row = message('D', value);
  const done = message('C', Buffer.from('SELECT 1\0'));
  socket.write(
    Buffer.concat([message('T', Buffer.concat([number(1, 2), column])), row, done, READY]),
  );
}

function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
