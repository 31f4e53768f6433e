// A connection in advance, the whole way: what clients see of it, and what it leaves.

import { expect } from 'chai';
import { listenHttp } from '../support/servers.js';
import { until } from '../support/until.js';
import { World } from './support/world.js';

describe('a proxy that connects in advance', () => {
  let world: World;
  afterEach(() => world.close());

  async function start(): Promise<() => Promise<void>> {
    const site = await listenHttp((req, res) => res.end(`you asked for ${req.url}`));
    const target = `http://127.0.0.1:${site.port}`;
    world = await World.start({ target, proxy: { preconnect: true } });
    return () => site.close();
  }

  for (const version of ['--http1.1', '--http2']) {
    it(`has a stream ready for each client of ${version.slice(2)}`, async () => {
      const stop = await start();
      for (let round = 0; round < 4; round += 1) {
        const { stdout } = await world.curl(version, world.https(`/${round}`));
        expect(stdout).to.equal(`you asked for /${round}`);
        // The client's own has ended, the one in advance waits on both sides.
        await until(() => world.proxy.streams === 1 && world.exit.streams === 1);
      }
      expect(world.proxy.sums.opened).to.be.at.most(6);
      await world.proxy.close();
      await until(() => world.exit.streams === 0);
      await stop();
    });
  }

  it('serves clients as ever when the exit was started anew', async () => {
    const stop = await start();
    await world.curl(world.https('/'));
    await until(() => world.proxy.streams === 1);
    await world.exit.close(0);
    await until(() => world.proxy.streams === 0);
    world.exit = await world.startExit(`http://127.0.0.1:${(await second()).port}`);
    const { stdout } = await world.curl('--retry', '3', '--retry-all-errors', world.https('/'));
    expect(stdout).to.equal('another');
    await stop();
  });
});

const second = () => listenHttp((_req, res) => res.end('another'));
