// The composed entry over a real relay: starting, refusing, and leaving nothing behind.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { AliasBook } from '../../src/proxy/names/alias-book.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../../src/proxy/proxy.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import { deadPort } from '../support/servers.js';
import { curl } from './curl.js';
import { expectRejection } from './expect-rejection.js';
import { FakeExit, silent } from './fixture.js';

describe('proxy: the whole entry', () => {
  let relay: MemoryRelay;
  let home: string;
  let proxy: RunningProxy | undefined;

  beforeEach(async () => {
    relay = await MemoryRelay.start({});
    home = mkdtempSync(join(tmpdir(), 'nws-entry-'));
  });

  afterEach(async () => {
    await proxy?.close(0);
    proxy = undefined;
    await relay.close();
    rmSync(home, { recursive: true });
  });

  const start = async (options: Partial<ProxyOptions> = {}): Promise<RunningProxy> => {
    proxy = await startProxy({
      listen: { host: '127.0.0.1', port: 0 },
      relays: [relay.url],
      home,
      log: silent,
      tls: 'terminate',
      requirePin: false,
      clearnet: 'direct',
      aliases: new Map(),
      ...options,
    });
    return proxy;
  };

  it('is ready when a relay is up, with its CA on disk', async () => {
    const { url, caPath, streams } = await start();
    expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(streams).to.equal(0);
    expect((await curl(`${url}/readyz`)).stdout).to.equal('ready\n');
    expect((await curl(`${url}/ca.pem`)).stdout).to.equal(readFileSync(caPath, 'utf8'));
  });

  it('notices a short name that is added while it runs', async () => {
    const { url } = await start({ relays: [] });
    const ask = async (host: string) =>
      (await curl('-i', '--proxy', url, `http://${host}/`)).stdout;
    expect(await ask('shop.nostr')).to.match(/^HTTP\/1\.1 400 .*"shop" is not a public key/s);
    // Without a relay, so that the answer comes at once.
    new AliasBook(home).add('shop', new FakeExit().host.replace(/^.*\.(?=.+\.nostr$)/, ''));
    expect(await ask('shop.nostr')).to.match(
      /^HTTP\/1\.1 502 .*no relay is known for shop\.nostr/s,
    );
    expect(await ask('shpo.nostr')).to.match(/^HTTP\/1\.1 400 .*did you mean shop\.nostr\?/s);
  });

  it('starts without relays, for names that bring their own', async () => {
    const { url } = await start({ relays: [] });
    expect((await curl(`${url}/readyz`)).stdout).to.equal('ready\n');
    const bare = new FakeExit().host.replace(/^.*\.(?=.+\.nostr$)/, '');
    const { stdout } = await curl('-i', '--proxy', url, `http://${bare}/`);
    expect(stdout).to.match(/^HTTP\/1\.1 502 .*no relay is known for/s);
  });

  it('starts while its relay is down, says so, and names it in every answer', async () => {
    const dead = `ws://127.0.0.1:${await deadPort()}`;
    const { url } = await start({ relays: [dead] });
    expect((await curl('-w', '%{http_code}', `${url}/readyz`)).stdout).to.match(/503$/);
    const exit = new FakeExit(dead);
    const { stdout } = await curl('-i', '--proxy', url, `http://${exit.host}/`);
    expect(stdout).to.match(/^HTTP\/1\.1 502 .*error=destination_unavailable/s);
    expect(stdout).to.include(dead);
  }).timeout(40_000);

  it('says who is in the way when its address is taken', async () => {
    const { port } = new URL((await start()).url);
    const taken = { host: '127.0.0.1', port: Number(port) };
    const running = proxy;
    const error = await expectRejection(start({ listen: taken }));
    expect(error.code).to.equal('address_in_use');
    await running?.close(0);
  });

  it('refuses what is no relay', async () => {
    const error = await expectRejection(start({ relays: ['http://not.a.relay'] }));
    expect(error.code).to.equal('bad_name');
  });

  it('leaves no connection behind when it is closed', async () => {
    const { url, close } = await start();
    await close();
    proxy = undefined;
    expect(relay.stats.connections).to.equal(0);
    expect((await curl(url)).status).to.equal(7); // nobody listens
  });
});
