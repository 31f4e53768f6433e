// WebSockets through the exit: over TLS, plain by CONNECT, and plain as a request in absolute form.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ws';
import { until } from '../support/until.js';
import { Site } from './support/site.js';
import { World } from './support/world.js';

describe('a WebSocket through the tunnel', function () {
  this.timeout(60_000);
  let site: Site;
  let world: World;

  beforeEach(async () => {
    site = await Site.start();
    world = await World.start({ target: site.url });
  });
  afterEach(async () => {
    await world.close();
    await site.close();
  });

  async function open(scheme: 'ws' | 'wss'): Promise<WebSocket> {
    const { url, caPath } = world.proxy;
    const agent = new HttpsProxyAgent(url);
    const ca = readFileSync(caPath);
    const socket = new WebSocket(`${scheme}://${world.exit.domain}/chat`, { agent, ca });
    await once(socket, 'open');
    return socket;
  }

  async function echo(socket: WebSocket, message: Buffer): Promise<Buffer> {
    const answer = once(socket, 'message') as Promise<[Buffer]>;
    socket.send(message);
    return (await answer)[0];
  }

  for (const scheme of ['wss', 'ws'] as const) {
    it(`echoes by ${scheme}, small and large, and leaves nothing behind`, async () => {
      const socket = await open(scheme);
      for (const size of [0, 1, 200, 70_000, 1_000_000]) {
        const message = Buffer.alloc(size, size % 251);
        expect((await echo(socket, message)).equals(message), `${size} bytes`).to.equal(true);
      }
      const closed = once(socket, 'close') as Promise<[number, Buffer]>;
      socket.close(4_000, 'enough');
      const [code] = await closed;
      expect(code).to.equal(4_000);
      await world.quiet();
      await until(() => site.connections === 0);
    });
  }

  it('tells the client when the server goes', async () => {
    const socket = await open('wss');
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    await site.close();
    await closed;
    await world.quiet();
  });
});
