// Servers on a free loopback port that a test can end whatever hangs on them.

import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';

export interface Running<S> {
  readonly server: S;
  readonly port: number;
  /** Sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Cuts what is open and waits for the server's end. */
  close(): Promise<void>;
}

export async function listen<S extends NetServer>(server: S): Promise<Running<S>> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { server, port, sockets, close };
}

export function listenHttp(listener: RequestListener): Promise<Running<Server>> {
  return listen(createHttpServer(listener));
}

export function listenTcp(onSocket: (socket: Socket) => void): Promise<Running<NetServer>> {
  return listen(createServer({ allowHalfOpen: true }, onSocket));
}

/** A loopback port on which nothing listens. */
export async function deadPort(): Promise<number> {
  const { port, close } = await listenTcp(() => undefined);
  await close();
  return port;
}
