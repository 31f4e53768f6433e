// Several protocols on one port: a connection is looked at until its first byte shows what it speaks.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { ignoreErrors } from './streams.js';

/** @param head what the client has said so far */
export type ServeOther = (client: Socket, head: Buffer) => void;

/**
 * Lets an HTTP server have connections by their first byte only. A client that says nothing at all is closed.
 * @param other who serves a connection that begins with a byte, where it isn't HTTP
 */
export function byFirstByte(
  server: Server,
  silenceMs: number,
  other: (firstByte: number) => ServeOther | undefined,
): void {
  const own = server.listeners('connection');
  const serveHttp: ServeOther = (client, head) => {
    for (const listener of own) listener.call(server, client);
    // Behind that: the server changes what it reads, and is to see all of it.
    client.unshift(head);
  };
  server.removeAllListeners('connection').on('connection', (client: Socket) => {
    onFirstChunk(client, silenceMs, (head) => (other(head[0]!) ?? serveHttp)(client, head));
  });
}

function onFirstChunk(client: Socket, silenceMs: number, act: (chunk: Buffer) => void): void {
  const end = (): void => {
    client.destroy();
  };
  const stop = (): void => {
    clearTimeout(timer);
    client.off('readable', look).off('end', end).off('close', stop);
  };
  const look = (): void => {
    const chunk: Buffer | null = client.read();
    if (chunk === null) return;
    stop();
    act(chunk);
  };
  const timer = setTimeout(end, silenceMs);
  ignoreErrors(client);
  client.on('readable', look).on('end', end).once('close', stop);
}
