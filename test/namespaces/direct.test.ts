// Direct paths between two homes: found through NATs as homes have them, done without where they can't be, and never
// looked for without consent.

import { expect } from 'chai';
import { MOST_QUESTIONS, Scene, STUN, STUN_IPV6, twoHomes } from './direct-support.js';
import { homeRouter, type Network, skipWithoutNat } from './network.js';

const MB = 1_000_000;
/** By hand: NWS_DIRECT_MB=1000. */
const DOWNLOAD_BYTES = Number(process.env.NWS_DIRECT_MB ?? 20) * MB;
/** Each destination sees another port. */
const SYMMETRIC = { masquerade: 'masquerade random,fully-random' };
const ON = ['--direct', '--stun', STUN];
/** Requests until one is not unlucky. */
const MOST_TRIES = 5;

describe('direct paths', function () {
  this.timeout(180_000);
  let scene: Scene;

  before(function () {
    skipWithoutNat(this);
  });
  afterEach(() => scene?.close());

  /** A first request, which goes over the relay, and the end of looking for a path. */
  async function settled(): Promise<unknown> {
    expect(await scene.waysOf(1)).to.deep.equal(['relay']);
    return scene.settled();
  }

  it('stand between two homes, with a relay that sees only the beginning', async () => {
    scene = await Scene.start(twoHomes);
    await scene.startExit(...ON);
    await scene.startProxy('--direct');
    expect(await settled()).to.equal(undefined);
    expect(await scene.waysOf(2)).to.deep.equal(['direct', 'direct']);
    const before = scene.events;
    expect(await scene.download(DOWNLOAD_BYTES)).to.include({ status: 0, isRight: true });
    expect(scene.events - before).to.be.below(10);
    expect(await scene.doctor('--direct')).to.include({ status: 'ok' });
    expect(await scene.doctor()).to.deep.equal({ servers: [] });
  });

  it('stand where the exit can be reached, without STUN', async () => {
    const opens = { port: 7_000, to: '10.2.0.2' };
    scene = await Scene.start((network) => twoHomes(network, {}, { opens }), false);
    await scene.startExit('--direct', '--direct-address', '8.8.5.2:7000');
    await scene.startProxy('--direct');
    expect(await settled()).to.equal(undefined);
    expect(await scene.waysOf(1)).to.deep.equal(['direct']);
  });

  it('stand over IPv6 where there is nothing else', async () => {
    scene = await Scene.start(twoHomesIpv6);
    await scene.startExit('--direct', '--stun', STUN_IPV6);
    await scene.startProxy('--direct');
    expect(await settled()).to.equal(undefined);
    expect(await scene.waysOf(1)).to.deep.equal(['direct']);
    expect(scene.proxy!.logged('a direct path stands')[0]!.remote).to.match(/^\[2a00:5:/);
  });

  it('stand between neighbours behind one NAT that say their local addresses', async () => {
    scene = await Scene.start(oneHome);
    await scene.startExit('--direct', '--direct-local', '--stun', STUN);
    await scene.startProxy('--direct', '--direct-local');
    expect(await settled()).to.equal(undefined);
    expect(await scene.waysOf(1)).to.deep.equal(['direct']);
    expect(scene.proxy!.logged('a direct path stands')[0]!.remote).to.match(/^10\.1\.0\.3:/);
  });

  it('are given up where both NATs are symmetric, and nobody waits for that', async () => {
    scene = await Scene.start((network) => twoHomes(network, SYMMETRIC));
    for (const host of ['entry', 'exit']) scene.countUdp(host);
    await scene.network
      .program('world', scene.folder, 'test/namespaces/stun.ts', '8.8.4.1', '3478')
      .ready();
    await scene.startExit('--direct', '--stun', STUN);
    await scene.startProxy(...ON);
    expect(await scene.givenUp()).to.match(/no probe came through/);
    // Questions of STUN, thrice at most; one candidate, and none that nobody named.
    for (const host of ['entry', 'exit'])
      expect(scene.udpOf(host, 'sent')).to.be.within(12, 3 + MOST_QUESTIONS);
    const [{ hint }, { status, found }] = await Promise.all([
      scene.doctor(...ON),
      scene.doctor(...ON, '--stun', '8.8.4.1:3478'),
    ]);
    expect(hint).to.match(/two --stun servers show/);
    expect(status).to.equal('failed');
    expect(found).to.match(/symmetric/);
  });

  it('are given up where UDP is dropped', async () => {
    scene = await Scene.start((network) => {
      twoHomes(network);
      network.filter('entry-home', dropUdp('inet'));
    });
    for (const host of ['entry', 'exit']) scene.countUdp(host);
    await scene.startExit(...ON);
    await scene.startProxy(...ON);
    expect(await scene.givenUp()).to.match(/no STUN server answers/);
    // The exit knows how it looks from outside; nobody tells it where the entry is.
    expect(scene.udpOf('entry', 'sent')).to.equal(3 + MOST_QUESTIONS);
    expect(scene.udpOf('exit', 'sent')).to.be.within(1, 3);
    const { found, servers } = await scene.doctor(...ON);
    expect(found).to.match(/UDP may be blocked/);
    expect(servers).to.have.lengthOf(1);
    expect(servers[0]).to.match(/is silent: .* UDP is blocked/);
  });

  it('are given up where the STUN server is silent', async () => {
    scene = await Scene.start(twoHomes, false);
    await scene.startExit(...ON);
    await scene.startProxy('--direct');
    expect(await settled()).to.match(/no STUN server answers/);
    expect(await scene.waysOf(1)).to.deep.equal(['relay']);
    const { found, hint } = await scene.doctor('--direct');
    expect(found).to.match(/no STUN server answers/);
    expect(hint).to.match(/add --stun/);
    expect((await scene.doctor(...ON)).servers).to.deep.equal([
      'nothing listens there, and UDP gets through to it',
    ]);
  });

  it('are given up where no side has a STUN server', async () => {
    scene = await Scene.start(twoHomes, false);
    for (const host of ['entry', 'exit']) scene.countUdp(host);
    await scene.startExit('--direct');
    const { found, hint } = await scene.doctor('--direct');
    expect(found).to.match(/neither side knows how it is reached from outside/);
    expect(hint).to.match(/add --stun/);
    for (const host of ['entry', 'exit']) expect(scene.udpOf(host, 'sent')).to.equal(0);
  });

  it('are given up where the NAT of the exit alone is symmetric, and doctor says that it is not the one here', async () => {
    scene = await Scene.start((network) => twoHomes(network, {}, SYMMETRIC));
    await scene.network
      .program('world', scene.folder, 'test/namespaces/stun.ts', '8.8.4.1', '3478')
      .ready();
    await scene.startExit(...ON);
    const { found, hint } = await scene.doctor(...ON, '--stun', '8.8.4.1:3478');
    expect(found).to.match(/the NAT here keeps its port/);
    expect(hint).to.match(/at the exit/);
  });

  for (const [who, exitFlags, proxyFlags] of [
    ['neither side', ['--allow', '192.0.2.1:1'], []],
    ['the exit alone', ON, []],
    ['the entry alone', [], ON],
  ] as const) {
    it(`send nothing where ${who} wants one`, async () => {
      scene = await Scene.start(twoHomes);
      for (const host of ['entry', 'exit']) scene.countUdp(host);
      await scene.startExit(...exitFlags);
      await scene.startProxy(...proxyFlags);
      expect(await scene.waysOf(3)).to.deep.equal(['relay', 'relay', 'relay']);
      for (const host of ['entry', 'exit']) expect(scene.udpOf(host, 'sent')).to.equal(0);
      if (exitFlags === ON) return;
      const { found } = await scene.doctor('--direct');
      expect(found).to.match(/does not take part/);
    });
  }

  /** The only way between the two is so long, and loses so much. */
  async function overRoad(msEachWay: number, loss: number): Promise<void> {
    const opens = { port: 7_000, to: '10.2.0.2' };
    scene = await Scene.start((network) => twoHomes(network, {}, { opens }), false);
    const road = ['8.8.5.1', '6000', '8.8.5.2:7000', `${msEachWay}`, `${loss}`];
    const program = 'test/namespaces/road.ts';
    await scene.network.program('world', scene.folder, program, ...road).ready();
    const flags = ['--direct', '--direct-address', '8.8.5.1:6000', '--direct-listen', '7000'];
    await scene.startExit(...flags);
    await scene.startProxy('--direct');
    expect(await settled()).to.equal(undefined);
    let [way] = await scene.waysOf(1);
    // A stream whose opening is lost several times goes over the relay instead, as it is to.
    for (let tries = 1; tries < MOST_TRIES && way !== 'direct'; tries += 1) {
      [way] = await scene.waysOf(1);
    }
    expect(way).to.equal('direct');
  }

  it('go on where 2 % are lost and a round trip takes 60 ms', async () => {
    await overRoad(30, 0.02);
    const { isRight, seconds } = await scene.download(DOWNLOAD_BYTES);
    console.log(`    ${(DOWNLOAD_BYTES / MB / seconds).toFixed(1)} MB/s`);
    expect(isRight).to.equal(true);
    expect(scene.ways.at(-1)).to.equal('direct');
  });

  it('are slow and right where 20 % are lost', async () => {
    await overRoad(30, 0.2);
    for (let tries = 0; tries === 0 || scene.ways.at(-1) !== 'direct'; tries += 1) {
      expect(tries).to.be.below(MOST_TRIES);
      const { isRight, seconds } = await scene.download(MB);
      console.log(`    ${(1 / seconds).toFixed(2)} MB/s`);
      expect(isRight).to.equal(true);
    }
  });

  it('are cut in the middle of a download, which ends with an error; then relays serve again', async () => {
    scene = await Scene.start(twoHomes);
    await scene.startExit(...ON);
    await scene.startProxy('--direct');
    expect(await settled()).to.equal(undefined);
    const download = scene.download(2_000 * MB);
    await scene.busy();
    const cutAt = performance.now();
    scene.network.filter('world', dropUdp('inet'));
    const { status, isRight, endedAt } = await download;
    console.log(`    an error ${((endedAt - cutAt) / 1_000).toFixed(1)} s after the cut`);
    expect(status).to.not.equal(0);
    expect(isRight).to.equal(false);
    expect(scene.fetch()).to.equal('from behind\n');
    expect(scene.proxy!.logged('a direct path is gone')).to.have.length(1);
  });
});

/** Of what is to be passed on, datagrams are dropped. */
function dropUdp(family: 'ip' | 'inet'): string {
  return `table ${family} cut {
    chain forward { type filter hook forward priority -1; meta l4proto udp drop; }
  }`;
}

function twoHomesIpv6(network: Network): void {
  network.add('world', 'entry-home', 'entry', 'exit-home', 'exit');
  network.link('world', '8.8.4.1/24,2a00:4::1/64', 'entry-home', '8.8.4.2/24,2a00:4::2/64');
  network.link('entry-home', '10.1.0.1/24,2a00:4:1::1/64', 'entry', '10.1.0.2/24,2a00:4:1::2/64');
  network.link('world', '8.8.5.1/24,2a00:5::1/64', 'exit-home', '8.8.5.2/24,2a00:5::2/64');
  network.link('exit-home', '10.2.0.1/24,2a00:5:1::1/64', 'exit', '10.2.0.2/24,2a00:5:1::2/64');
  network.ip('world', '-6', 'route', 'add', '2a00:4:1::/64', 'via', '2a00:4::2');
  network.ip('world', '-6', 'route', 'add', '2a00:5:1::/64', 'via', '2a00:5::2');
  for (const router of ['entry-home', 'exit-home']) {
    network.forward(router);
    network.filter(router, homeRouter('world'));
    // The relay is reached by IPv4 still; datagrams are not.
    network.filter(router, dropUdp('ip'));
  }
}

function oneHome(network: Network): void {
  network.add('world', 'entry-home', 'entry', 'exit');
  network.link('world', '8.8.4.1/24', 'entry-home', '8.8.4.2/24');
  network.ip('entry-home', 'link', 'add', 'lan', 'type', 'bridge');
  network.ip('entry-home', 'address', 'add', '10.1.0.1/24', 'dev', 'lan');
  network.ip('entry-home', 'link', 'set', 'lan', 'up');
  network.plug('entry-home', 'lan', 'entry', '10.1.0.2/24', '10.1.0.1');
  network.plug('entry-home', 'lan', 'exit', '10.1.0.3/24', '10.1.0.1');
  network.forward('entry-home');
  network.filter('entry-home', homeRouter('world'));
}
