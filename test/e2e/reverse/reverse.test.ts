// CONNECTR from end to end: streams whose bytes take a TCP connection of the exit, and the way back to relays where
// there can't be one.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import type { RunningExit } from '../../../src/index.js';
import { deadPort } from '../../support/servers.js';
import { onEmbeddedRelay } from '../../support/test-relay.js';
import { until } from '../../support/until.js';
import { digest, generated } from '../support/bytes.js';
import { Site } from '../support/site.js';
import { ReversePath } from './path.js';
import { type ReverseOptions, ReverseWorld } from './world.js';

const MB = 1_000_000;
/** Size of the large download, in MB; NWS_REVERSE_MB=1024 for a really large one. */
const LARGE_MB = Number(process.env.NWS_REVERSE_MB ?? 64);
/** A question, an answer, and some repeats: what opens a stream, while a download alone would take thousands. */
const OPENING_EVENTS = 12;

/** Types of TLS records (RFC 8446, section 5.1). */
const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe('streams over connections of the exit', function () {
  this.timeout(60_000 + LARGE_MB * 200);
  let site: Site;
  let path: ReversePath;
  let world: ReverseWorld;

  before(async () => {
    site = await Site.start();
  });
  after(() => site.close());
  afterEach(async () => {
    await world.close();
    await path.close();
    await until(() => site.connections === 0);
  });

  async function start(options: ReverseOptions = {}, host?: string): Promise<void> {
    path = await ReversePath.start(host);
    world = await ReverseWorld.start({ path, ...options });
  }

  /** A page of the exit that was started last, by curl. */
  const get = (page: string, scheme: 'http' | 'https' = 'https') =>
    world.world.curl(world.world[scheme](page));
  const got = (page: string) => ({ status: 0, stdout: `GET ${page}\n`, stderr: '' });

  it('carry https and http, up and down, from the very first one on', async () => {
    await start();
    const exit = await world.startExit(site.url);
    expect(await get('/secure')).to.deep.equal(got('/secure'));
    expect(await get('/plain', 'http')).to.deep.equal(got('/plain'));
    const child = world.world.startCurl('-T', '-', world.world.https('/digest'));
    generated(2 * MB).pipe(child.stdin);
    const [answer] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(String(answer))).to.deep.equal(await digest(generated(2 * MB)));
    expect(path.passages).to.have.length(3);
    await until(() => world.ways(exit).length === 3);
    expect(world.ways(exit)).to.deep.equal(['reverse', 'reverse', 'reverse']);
  });

  it('bring an answer whole whose end is that of its connection', async () => {
    await start();
    const exit = await world.meetExit(site.url);
    const url = world.world.https(`/bytes/${5 * MB}`);
    const answer = await world.world.transfer('-H', 'Connection: close', url);
    expect(answer).to.deep.equal({ ...(await digest(generated(5 * MB))), status: 0, stderr: '' });
    await world.quiet();
    expect(world.ways(exit)).to.deep.equal(['reverse', 'reverse']);
    expect(world.proxy.sums.failed).to.deep.equal({});
  });

  it('are taken from the first one on, where the pin is on record', async () => {
    await start();
    const exit = await world.meetExit(site.url);
    expect(await get('/first')).to.deep.equal(got('/first'));
    await world.restartProxy();
    path.leadTo(world.proxy.reverseAddress!);
    expect(await get('/again')).to.deep.equal(got('/again'));
    await world.quiet();
    expect(world.ways(exit)).to.deep.equal(['reverse', 'reverse', 'reverse']);
  });

  if (HAS_IPV6) {
    it('come over IPv6', async () => {
      await start({}, '::1');
      await world.startExit(site.url);
      expect(await get('/six')).to.deep.equal(got('/six'));
      expect(path.passages).to.have.length(1);
    });
  } else console.log('    (there is no ::1 here: reverse connections over IPv6 are left out)');

  onEmbeddedRelay(() => {
    it(`download ${LARGE_MB} MB of which the relay sees only the opening`, async () => {
      path = await ReversePath.start();
      world = await ReverseWorld.start();
      const exit = await world.meetExit(site.url);
      const { events } = world.relay.stats;
      const bytes = LARGE_MB * MB;
      const startedAt = performance.now();
      const result = await world.world.transfer(world.world.https(`/bytes/${bytes}`));
      const seconds = (performance.now() - startedAt) / 1_000;
      expect(result).to.deep.equal({ ...(await digest(generated(bytes))), status: 0, stderr: '' });
      const seen = world.relay.stats.events - events;
      expect(seen).to.be.below(OPENING_EVENTS);
      await world.quiet();
      expect(world.ended(exit.pubkey).at(-1)).to.include({ way: 'reverse' });
      expect(world.proxy.sums.bytesDown).to.be.above(bytes);
      const told = `${seconds.toFixed(1)} s, ${seen} events, SHA-256 ${result.sha256}`;
      if (LARGE_MB >= 512) console.log(`      ${told}`);
    });

    it('open over a relay that loses and repeats', async () => {
      await start({ behaviour: { loss: 0.2, duplicate: 0.3 } });
      await world.meetExit(site.url);
      const pages = Array.from({ length: 8 }, (_, index) => `/lossy-${index}`);
      const answers = await Promise.all(pages.map((page) => get(page)));
      expect(answers).to.deep.equal(pages.map(got));
      const asked = site.requests.filter((request) => request.startsWith('GET /lossy-'));
      expect(asked.sort()).to.deep.equal(pages.map((page) => `GET ${page}`));
    });
  });

  it('show nothing but TLS on the way', async () => {
    await start();
    // By http to a TCP service, there is no other encryption inside.
    await world.meetExit(site.url.replace('http:', 'tcp:'));
    const held = once(site, 'request') as Promise<[unknown, ServerResponse]>;
    const asked = world.world.curl('-d', 'marked-question', world.world.http('/held/marked-path'));
    (await held)[1].end('marked-answer');
    expect((await asked).stdout).to.equal('marked-answer');
    const { seen } = path.passages[0]!;
    expect(seen.fromExit.toString('latin1')).to.not.match(/marked|HTTP|held/);
    expect(seen.fromEntry.toString('latin1')).to.not.match(/marked|HTTP|held/);
    expect(seen.fromExit.toString('latin1', 0, 36)).to.match(
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    );
    expect(seen.fromEntry[0]).to.equal(1);
    for (const records of [seen.fromExit.subarray(36), seen.fromEntry.subarray(1)]) {
      const [hello, ...rest] = recordTypes(records);
      expect(hello).to.equal(HANDSHAKE);
      expect(rest).to.include(APPLICATION_DATA);
      expect(
        rest.every((type) => type === APPLICATION_DATA || type === CHANGE_CIPHER_SPEC),
      ).to.equal(true);
    }
  });

  describe('where the exit can not connect', () => {
    /** A first request that falls back, and a second one that doesn't even try. */
    async function fallsBack(exit: RunningExit): Promise<void> {
      expect(await get('/first')).to.deep.equal(got('/first'));
      expect(world.failures(exit)).to.equal(1);
      expect(await get('/second')).to.deep.equal(got('/second'));
      await world.quiet();
      expect(world.failures(exit)).to.equal(1);
      expect(world.ways(exit)).to.deep.equal(['relay', 'relay']);
      expect(exit.sums.refused).to.deep.equal({ reverse_unreachable: 1 });
    }

    it('give way to relays: its policy forbids the address', async () => {
      await start();
      await fallsBack(await world.startExit(site.url, {}));
      expect(path.passages).to.have.length(0);
    });

    it('give way to relays: nothing listens there', async () => {
      await start();
      const exit = await world.startExit(site.url);
      await path.close();
      await fallsBack(exit);
    });

    it('give way to relays: nobody answers there', async () => {
      await start();
      path.hold();
      await fallsBack(await world.startExit(site.url));
      expect(path.passages).to.have.length(1);
    });

    it('leave those of other exits alone', async () => {
      await start();
      const far = await world.meetExit(site.url, {});
      const near = await world.meetExit(site.url);
      const urls = [near, far, near, far].map(({ domain }) => `https://${domain}/bytes/300000`);
      const answers = await Promise.all(urls.map((url) => world.world.transfer(url)));
      const expected = { ...(await digest(generated(300_000))), status: 0, stderr: '' };
      expect(answers).to.deep.equal(urls.map(() => expected));
      await world.quiet();
      expect(world.ways(near)).to.deep.equal(['reverse', 'reverse', 'reverse']);
      expect(world.ways(far)).to.deep.equal(['relay', 'relay', 'relay']);
      expect(path.passages).to.have.length(3);
    });
  });

  it('are refused at once, with the reason, where it is the target that is dead', async () => {
    await start();
    const exit = await world.meetExit(`tcp://127.0.0.1:${await deadPort()}`);
    const { stdout } = await world.world.curl('-i', world.world.http('/'));
    expect(stdout).to.match(/^HTTP\/1\.1 502 .*^proxy-status: nws; error=connection_refused/ims);
    expect(path.passages).to.have.length(1);
    expect(world.failures(exit)).to.equal(0);
    // Once by each way, and not once more as a second try.
    expect(exit.sums.refused).to.deep.equal({ connection_refused: 2 });
  });
});

/** Types of the TLS records in some bytes, which may end within one. */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    expect(bytes[at + 1]).to.equal(3);
    types.push(bytes[at]!);
  }
  return types;
}
