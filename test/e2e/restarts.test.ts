// Exit, proxy and relay that start again: the same name, certificate, CA and pins, and nothing to set anew.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { MemoryRelay } from '../../src/index.js';
import { KIND } from '../../src/protocol/wire/events.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { Site } from './support/site.js';
import { World } from './support/world.js';

describe('a restart', function () {
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

  async function expectPage(): Promise<void> {
    const result = await world.curl(world.https('/page'));
    expect(result).to.deep.equal({ status: 0, stdout: 'GET /page\n', stderr: '' });
  }

  /** The exit's own certificate, as it serves it, by a proxy that doesn't look into TLS. */
  async function served(): Promise<string | undefined> {
    const socket = connectTls({
      socket: await world.connect(world.exit.domain, 443),
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
    socket.destroy();
    return fingerprint;
  }

  it('of the exit keeps name and certificate, and needs nothing new of the proxy', async () => {
    await world.proxy.close(0);
    await world.startProxy({ tls: 'passthrough' });
    const before = { domain: world.exit.domain, certificate: await served() };
    for (let round = 0; round < 3; round += 1) {
      await world.exit.close(0);
      world.exit = await world.startExit(site.url);
      expect({ domain: world.exit.domain, certificate: await served() }).to.deep.equal(before);
    }
    await world.proxy.close(0);
    await world.startProxy();
    await expectPage();
  });

  it('of the exit is over for the proxy at once, whatever connections it kept', async () => {
    const page = async (): Promise<string> => (await world.curl(world.http('/page'))).stdout;
    expect(await page()).to.equal('GET /page\n'); // this stream is kept for the next request
    await world.exit.close(0);
    world.exit = await world.startExit(site.url);
    expect(await page()).to.equal('GET /page\n');
    await expectPage();
  });

  it('of the proxy keeps its CA', async () => {
    await expectPage();
    const ca = readFileSync(world.proxy.caPath, 'utf8');
    await world.proxy.close(0);
    await world.startProxy();
    expect(readFileSync(world.proxy.caPath, 'utf8')).to.equal(ca);
    await expectPage();
  });

  onEmbeddedRelay(() => {
    for (const method of ['GET', 'DELETE', 'PUT', 'POST']) {
      it(`of the exit is no failure of a ${method} behind it, though its news take time`, async () => {
        const ask = async (...args: string[]): Promise<string> =>
          (await world.curl('-w', ' %{http_code}', ...args, world.http('/page'))).stdout;
        world.relay.behaviour.deliveryDelayMs = 100;
        expect(await ask()).to.equal('GET /page\n 200'); // this stream is kept for the next request
        const closing = world.exit.close(0);
        world.exit = await world.startExit(site.url);
        expect(await ask('-X', method)).to.equal(`${method} /page\n 200`);
        expect(await ask('-X', method, '-d', '')).to.equal(`${method} /page\n 200`);
        await closing;
      });
    }

    it('of an exit that is gone without a word is none either', async () => {
      const ask = async (...args: string[]): Promise<string> =>
        (await world.curl('-w', ' %{http_code}', ...args, world.http('/page'))).stdout;
      world.relay.behaviour.deliveryDelayMs = 100;
      expect(await ask()).to.equal('GET /page\n 200');
      // What it says on its way out never arrives.
      const { pubkey } = world.signer;
      let isGone = true;
      world.relay.behaviour.refuse = ({ pubkey: from }) =>
        isGone && from === pubkey ? 'blocked: gone' : undefined;
      await world.exit.close(0);
      isGone = false;
      world.relay.behaviour.refuse = undefined;
      world.exit = await world.startExit(site.url);
      expect(await ask()).to.equal('GET /page\n 200');
      expect(await ask('-X', 'DELETE')).to.equal('DELETE /page\n 200');
    });

    it('of the relay, which forgets everything, brings the certificate back', async () => {
      await expectPage();
      const port = Number(new URL(world.relay.url).port);
      await world.relay.close();
      world.relay = await MemoryRelay.start({ port });
      const kinds: number[] = [];
      world.relay.on('event', ({ kind }) => kinds.push(kind));
      await until(() => kinds.includes(KIND.certificate));
      await expectPage();
      // And for a proxy that has seen none of this before.
      await world.proxy.close(0);
      await world.startProxy({ home: `${world.home}/another` });
      await expectPage();
    });
  });
});
