// A raw origin that answers with the bytes of a case, behind a real exit, and raw clients in front of the proxy.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server as NetServer, Socket } from 'node:net';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readAll } from '../../support/read-all.js';
import { listenTcp, type Running } from '../../support/servers.js';
import { World, type WorldOptions } from '../support/world.js';

export type OnRequest = (socket: Socket, head: string, count: number) => void;

export class CaseWorld {
  readonly world: World;
  readonly origin: Running<NetServer>;
  /** Heads of the requests that came to the origin, in order. */
  heads: string[] = [];
  /** What the origin does with each request whose head is complete. */
  onRequest: OnRequest = () => undefined;

  private constructor(world: World, origin: Running<NetServer>) {
    this.world = world;
    this.origin = origin;
  }

  static async start(path = '', options: WorldOptions = {}): Promise<CaseWorld> {
    let cases: CaseWorld | undefined;
    const origin = await listenTcp((socket) => cases?.serve(socket));
    const world = await World.start({
      target: `http://127.0.0.1:${origin.port}${path}`,
      ...options,
    });
    cases = new CaseWorld(world, origin);
    return cases;
  }

  /** Answers every request with these bytes, and ends the connection if so told. */
  answer(bytes: string, isEnd = false): void {
    this.heads = [];
    this.onRequest = (socket) => {
      if (isEnd) socket.end(bytes, 'latin1');
      else socket.write(bytes, 'latin1');
    };
  }

  serve(socket: Socket): void {
    let text = '';
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 4);
        const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
        const isExpecting = /^expect:/im.test(head);
        if (!isExpecting && text.length < head.length + length) return;
        text = text.slice(head.length + (isExpecting ? 0 : length));
        this.heads.push(head);
        this.onRequest(socket, head, this.heads.length);
      }
    });
  }

  /** Sends bytes to the proxy's port and reads what comes back to the end. */
  async raw(bytes: string | Buffer, isEnd = false): Promise<string> {
    const at = new URL(this.world.proxy.url);
    const socket = connect({ host: at.hostname, port: Number(at.port), allowHalfOpen: true });
    return exchange(socket, bytes, isEnd);
  }

  /** The same through CONNECT: by TLS to port 443, plain to port 80. */
  async tunnelled(bytes: string, port: 443 | 80, isEnd = false): Promise<string> {
    const { world } = this;
    const socket = await world.connect(world.exit.domain, port);
    if (port === 80) return exchange(socket, bytes, isEnd);
    const ca = await readFile(world.proxy.caPath);
    const secure = connectTls({ socket, ca, servername: world.exit.domain });
    await once(secure, 'secureConnect');
    return exchange(secure, bytes, isEnd);
  }

  get host(): string {
    return this.world.exit.domain;
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.origin.close();
  }
}

async function exchange(socket: Socket, bytes: string | Buffer, isEnd: boolean): Promise<string> {
  socket.on('error', () => undefined);
  if (isEnd) socket.end(bytes, 'latin1');
  else socket.write(bytes, 'latin1');
  const answer = await readAll(socket);
  socket.destroy();
  return answer.toString('latin1');
}
