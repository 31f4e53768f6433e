// The pages of a proxy and an exit between which there is traffic: their numbers are those of the traffic, and the
// metrics' own checker finds nothing to say.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { npubOf } from '../../src/status/state/npubs.js';
import { getText } from '../status/get.js';
import { readMetrics } from '../status/read-metrics.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { Site } from './support/site.js';
import { World } from './support/world.js';

interface Status {
  readonly [field: string]: unknown;
  readonly relays: readonly Record<string, unknown>[];
  readonly streams: readonly Record<string, unknown>[];
  readonly pins: readonly Record<string, unknown>[];
  readonly exits?: readonly Record<string, unknown>[];
  readonly clients?: readonly Record<string, unknown>[];
  readonly errors: readonly Record<string, unknown>[];
}

describe('status of proxy and exit', function () {
  this.timeout(60_000);
  let site: Site;
  let world: World;

  before(async () => {
    site = await Site.start();
    const status = { host: '127.0.0.1', port: 0 };
    world = await World.start({ target: site.url, exit: { status } });
  });
  after(async () => {
    await world.close();
    await site.close();
  });

  const get = (base = '', path = '/status.json'): Promise<string> => getText(`${base}${path}`);
  const status = async (base?: string): Promise<Status> => JSON.parse(await get(base)) as Status;
  const both = (): (string | undefined)[] => [world.proxy.url, world.exit.statusUrl];

  it('agree with the counters after traffic that is known', async () => {
    for (const size of [10, 30_000])
      await world.curl('-d', 'x'.repeat(size), world.https('/digest'));
    await world.curl('-o', '/dev/null', world.https('/bytes/200000'));
    await world.quiet();
    const sums = [world.proxy.sums, world.exit.sums];
    for (const [side, base] of both().entries()) {
      const { opened, bytesUp, bytesDown } = sums[side]!;
      expect(opened).to.equal(3);
      expect(bytesUp).to.be.within(30_000, 40_000);
      expect(bytesDown).to.be.within(200_000, 215_000);
      const json = await status(base);
      expect(json).to.include({
        streamsOpened: 3,
        streamsOpen: 0,
        bytesUp,
        bytesDown,
        ready: true,
      });
      const [peer] = json.exits ?? json.clients ?? [];
      expect(peer).to.include({ opened: 3, streams: 0, refused: 0, bytesUp, bytesDown });
      const metrics = readMetrics(await get(base, '/metrics'));
      const bytes = metrics.filter(({ name }) => name === 'nws_stream_bytes_total');
      const of = (direction: string): number | undefined =>
        bytes.find(({ labels }) => labels.direction === direction)?.value;
      expect([of('up'), of('down')]).to.deep.equal([bytesUp, bytesDown]);
      const [relay] = json.relays;
      expect(relay).to.include({ state: 'up', refusals: 0 });
      expect(relay?.bytesSent).to.be.greaterThan(side === 0 ? bytesUp : bytesDown);
      expect(relay?.bytesReceived).to.be.greaterThan(side === 0 ? bytesDown : bytesUp);
    }
  });

  it('show the streams that are open, and the pin that they were checked by', async () => {
    const asked = once(site, 'request');
    const child = world.startCurl(world.https('/held/1'));
    await asked;
    for (const base of both()) {
      const { streams, pins } = await status(base);
      expect(streams).to.have.length(1);
      expect(streams[0]).to.include({ way: 'relay', host: `${world.exit.domain}:443` });
      expect(streams[0]?.ageSeconds).to.be.within(0, 60);
      expect(pins).to.have.length(1);
      const { pubkey } = world.signer;
      expect(pins[0]).to.include({ pubkey, npub: npubOf(pubkey), changes: 0, successors: 0 });
      expect(pins[0]?.fingerprint).to.match(/^[0-9a-f]{64}$/);
    }
    expect((await status(world.proxy.url)).streams[0]).to.include({ peer: world.signer.pubkey });
    child.kill();
    await world.quiet();
  });

  it('say what went wrong, with what to do about it', async () => {
    await world.curl('https://nosuch.nostr/');
    await site.close();
    await world.curl(world.https('/digest'));
    await world.quiet();
    const codes = async (base?: string): Promise<unknown[]> =>
      (await status(base)).errors.map(({ code, count, hint }) => [code, count, typeof hint]);
    expect(await codes(world.proxy.url)).to.deep.equal([['bad_name', 1, 'string']]);
    expect(await codes(world.exit.statusUrl)).to.deep.equal([['connection_refused', 1, 'string']]);
    site = await Site.start();
  });

  onEmbeddedRelay(() => {
    it('of an exit are not ready without a relay, and say so', async () => {
      await world.relay.close();
      await until(async () => (await status(world.exit.statusUrl)).ready === false);
      expect(await get(world.exit.statusUrl, '/readyz')).to.equal('no relay is up\n');
      expect(await status(world.exit.statusUrl)).to.have.nested.property('relays[0].state', 'down');
    });
  });

  it('leave promtool nothing to say', async function () {
    if (spawnSync('promtool', ['--version']).error !== undefined) this.skip();
    for (const base of both()) {
      const input = await get(base, '/metrics');
      const {
        status: left,
        stdout,
        stderr,
      } = spawnSync('promtool', ['check', 'metrics'], { input });
      expect([left, String(stdout), String(stderr)]).to.deep.equal([0, '', '']);
    }
  });
});
