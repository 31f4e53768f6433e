// CONNECTR with the Go program, both ways: a bare TCP connection that the exit makes to the entry, where both allow it.

import { expect } from 'chai';
import { type ExitOptions, parseRule, type RunningExit } from '../../src/index.js';
import { ReversePath } from '../e2e/reverse/path.js';
import { until } from '../support/until.js';
import { GoEntry } from './go/entry.js';
import { GoExit, type GoExitOptions } from './go/exit.js';
import { GoListener } from './go/listener.js';
import { bornExpired } from './ground/born-expired.js';
import { carriesDownload, carriesPage, carriesUpload, carriesWebSocket } from './ground/carries.js';
import { Eavesdropper } from './ground/eavesdropper.js';
import { Ground } from './ground/ground.js';
import { innerOf, isTls } from './ground/tls-records.js';

const DOWNLOAD_BYTES = 5_000_000;
/** Over relays, where pairings.test.ts has the large ones. */
const SMALL_DOWNLOAD_BYTES = 500_000;
const UPLOAD_BYTES = 100_000;
const CERTIFICATE = bornExpired('exit.nostr');

describe('CONNECTR from our proxy to an exit of the Go program', function () {
  this.timeout(30_000);
  let path: ReversePath;
  let ground: Ground;
  let exit: GoExit;

  afterEach(async () => {
    await ground.close();
    await path.close();
  });

  /** An entry with a public address, on the way to which everything is written down, and an exit. */
  async function start(
    reverseTls: 'optional' | 'required' | undefined,
    options: Partial<GoExitOptions> = {},
  ): Promise<void> {
    path = await ReversePath.start();
    const reverseListen = { host: '127.0.0.1', port: 0 };
    const proxy = { publicAddress: path.address, reverseListen, reverseTls };
    ground = await Ground.start({ proxy });
    path.leadTo(ground.world.proxy.reverseAddress!);
    const { urls: relays, backend } = ground;
    const publish = CERTIFICATE;
    exit = ground.later(await GoExit.start({ relays, backend, publish, ...options }));
  }

  const dial = () => ground.dial(exit.name);

  it('has the relays carry nothing but the question', async () => {
    await start('optional');
    const eavesdropper = ground.later(await Eavesdropper.start(ground.urls));
    const { proxy } = ground.world;
    const steps = [
      () => carriesPage(dial),
      () => carriesDownload(dial, DOWNLOAD_BYTES),
      () => carriesUpload(dial, UPLOAD_BYTES),
      () => carriesWebSocket(dial),
    ];
    for (const [index, step] of steps.entries()) {
      await eavesdropper.take();
      await step();
      expect((await eavesdropper.take()).map(({ to }) => to)).to.deep.equal([exit.pubkey]);
      expect(exit.openings.at(-1)).to.equal('CONNECTR');
      expect(path.passages).to.have.length(index + 1);
    }
    await until(() => proxy.streams === 0);
  });

  it('is left out where TLS is required, as it is by default', async () => {
    await start(undefined);
    await carriesPage(dial);
    await carriesDownload(dial, SMALL_DOWNLOAD_BYTES);
    expect(new Set(exit.openings)).to.deep.equal(new Set(['CONNECT']));
    expect(path.passages).to.deep.equal([]);
  });

  const secrets = ['-d', 'password=secret'];
  const login = () =>
    ground.world.curl('-sw', '%{http_code}', ...secrets, `https://${exit.name}/login`);

  it('shows https on the bare connection as the pinned TLS', async () => {
    await start('optional', { serve: CERTIFICATE });
    for (const asked of [1, 2]) {
      const { status, stdout, stderr } = await login();
      expect({ status, stdout, stderr }).to.deep.equal({
        status: 0,
        stdout: 'POST /login\n200',
        stderr: '',
      });
      expect(ground.site.requests).to.have.length(asked);
    }
    expect(exit.openings).to.deep.equal(['CONNECTR', 'CONNECTR']);
    const { seen, exitSide } = await path.passage(1);
    await until(() => exitSide.closed);
    const { fromExit, fromEntry } = innerOf(seen);
    for (const bytes of [fromExit, fromEntry]) {
      expect(isTls(bytes)).to.equal(true);
      expect(bytes.toString('latin1')).to.not.match(/login|secret|HTTP/);
    }
  });

  it('carries no request to an exit that shows another certificate than it signed for', async () => {
    await start('optional', { serve: bornExpired('other.nostr') });
    expect((await login()).stdout).to.match(/502$/);
    expect((await login()).stdout).to.match(/502$/);
    expect(exit.openings.at(-1)).to.equal('CONNECTR');
    expect(path.passages).to.not.deep.equal([]);
    expect(ground.site.requests).to.deep.equal([]);
  });

  it('gives way to CONNECT for a while where the exit never comes', async () => {
    await start('optional', { connectsBack: false });
    await carriesUpload(dial, UPLOAD_BYTES);
    expect(exit.openings).to.deep.equal(['CONNECTR', 'CONNECT']);
    await carriesPage(dial);
    expect(exit.openings.slice(2)).to.deep.equal(['CONNECT']);
    expect(path.passages).to.deep.equal([]);
  });
});

describe('CONNECTR from an entry of the Go program to our exit', function () {
  this.timeout(30_000);
  let ground: Ground;
  let publicAddress: GoListener;
  let eavesdropper: Eavesdropper;
  let exit: RunningExit;
  let entry: GoEntry;

  beforeEach(async () => {
    ground = await Ground.start();
    publicAddress = ground.later(await GoListener.start());
    eavesdropper = ground.later(await Eavesdropper.start(ground.urls));
  });
  afterEach(() => ground.close());

  async function start(options: Pick<ExitOptions, 'allow' | 'deny'>): Promise<void> {
    exit = await ground.startExit(options);
    entry = ground.later(new GoEntry({ exit: exit.domain, publicAddress }));
  }

  it('takes the connection where the address is allowed, and the relays carry the question alone', async () => {
    await start({ allow: [parseRule(publicAddress.address)] });
    const dial = () => entry.connect();
    const steps = [
      () => carriesPage(dial),
      () => carriesDownload(dial, DOWNLOAD_BYTES),
      () => carriesUpload(dial, UPLOAD_BYTES),
      () => carriesWebSocket(dial),
    ];
    for (const [index, step] of steps.entries()) {
      await step();
      expect((await eavesdropper.take()).map(({ to }) => to)).to.deep.equal([exit.pubkey]);
      expect(publicAddress.connections).to.equal(index + 1);
    }
    expect(exit.sums).to.include({ opened: steps.length });
    await until(() => exit.streams === 0 && exit.sums.open === 0);
  });

  const refusing: Readonly<Record<string, () => Pick<ExitOptions, 'allow' | 'deny'>>> = {
    'without a rule': () => ({}),
    'with a rule for another port': () => ({
      allow: [parseRule(`127.0.0.1:1-${publicAddress.port - 1}`)],
    }),
    'with a rule against it': () => ({
      allow: [parseRule('127.0.0.1')],
      deny: [parseRule(publicAddress.address)],
    }),
  };
  for (const [title, rules] of Object.entries(refusing)) {
    it(`dials nothing and says nothing ${title}`, async () => {
      await start(rules());
      // Nobody tells such an entry that it waits in vain.
      void entry.connect();
      await until(() => exit.sums.refused.reverse_unreachable === 1);
      expect(publicAddress.connections).to.equal(0);
      expect(ground.site.connections).to.equal(0);
      expect(exit.sums.opened + exit.streams).to.equal(0);
      expect((await eavesdropper.take()).map(({ to }) => to)).to.deep.equal([exit.pubkey]);
      const bare = ground.later(new GoEntry({ exit: exit.domain }));
      await carriesPage(() => bare.connect());
      expect(publicAddress.connections).to.equal(0);
    });
  }
});
