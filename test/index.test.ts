// The library as another program uses it: relay, exit, entry and dispatcher in one process.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fetch } from 'undici';
import { createDispatcher, createExit, createProxy, MemoryRelay, NwsError } from '../src/index.js';

describe('the library', () => {
  let home = '';

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'nws-test-'));
  });
  after(() => rm(home, { recursive: true, force: true }));

  it('reaches a web server by its key, with https and http', async () => {
    const server = createServer((req, res) => res.end(`you asked for ${req.url}`));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const relay = await MemoryRelay.start({});
    const target = `http://127.0.0.1:${port}`;
    const exit = await createExit({ home: join(home, 'exit'), relays: [relay.url], target });
    const proxy = await createProxy({ home: join(home, 'proxy') });
    const dispatcher = await createDispatcher(proxy);
    try {
      for (const scheme of ['https', 'http']) {
        const response = await fetch(`${scheme}://${exit.domain}/page`, { dispatcher });
        expect(await response.text()).to.equal('you asked for /page');
      }
    } finally {
      await dispatcher.close();
      await proxy.close(0);
      await exit.close(0);
      await relay.close();
      server.close();
    }
  });

  it('refuses a target that can’t be read', async () => {
    const options = { home, relays: ['ws://127.0.0.1:1'], target: 'nowhere' };
    const error: unknown = await createExit(options).catch((reason: unknown) => reason);
    expect(error)
      .to.be.instanceOf(NwsError)
      .with.property('message')
      .that.matches(/no scheme/);
  });
});
