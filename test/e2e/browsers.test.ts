// Chromium and Firefox as users have them: the proxy by its PAC file, the CA imported, and nothing else. A page opens
// without a warning; failures are pages that say why.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import { createExit, createProxy, MemoryRelay, type RunningProxy } from '../../src/index.js';
import { encodeName } from '../../src/protocol/names/address.js';
import { deadPort } from '../support/servers.js';
import { newCertificate, RogueExit } from './support/rogue-exit.js';
import { has, tool } from './support/tools.js';

const CHROMIUM = process.env.CHROMIUM ?? 'chromium';
const FIREFOX = process.env.FIREFOX ?? 'firefox-esr';
/** A folder for pictures of failure pages, if somebody wants to look at them. */
const PICTURES = process.env.NWS_PICTURES;

describe('browsers', function () {
  this.timeout(90_000);
  let home: string;
  let relay: MemoryRelay;
  let proxy: RunningProxy;
  let domain: string;
  let asked: string[];
  const closing: (() => Promise<unknown>)[] = [];

  before(async function () {
    if (!has('certutil', ['-H'])) this.skip();
    home = await mkdtemp(join(tmpdir(), 'nws-browser-'));
    closing.push(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
    relay = await MemoryRelay.start({});
    closing.push(() => relay.close());
    const exit = await createExit({ home: join(home, 'exit'), relays: [relay.url] });
    closing.push(() => exit.close(0));
    await exit.serve(
      createServer((req, res) => {
        asked.push(`${req.method} ${req.url} ${req.headers['user-agent']}`);
        res
          .setHeader('Content-Type', 'text/html')
          .end(`<!doctype html><title>hello</title>${req.url}`);
      }),
    );
    domain = exit.domain;
    proxy = await createProxy({ home: join(home, 'proxy') });
    closing.push(() => proxy.close(0));
  });
  beforeEach(() => {
    asked = [];
  });
  after(async () => {
    for (const close of closing.reverse()) await close();
  });

  /** Imports the CA into a store of NSS, as both browsers have it. */
  function trust(folder: string): void {
    mkdirSync(folder, { recursive: true });
    const store = ['-d', `sql:${folder}`];
    execFileSync('certutil', ['-N', ...store, '--empty-password']);
    execFileSync('certutil', ['-A', ...store, '-t', 'C,,', '-n', 'nws', '-i', proxy.caPath]);
  }

  describe('Chromium', () => {
    let context: BrowserContext;
    let page: Page;

    before(async function () {
      if (!has(CHROMIUM, ['--version'])) return this.skip();
      trust(join(home, '.pki/nssdb'));
      context = await chromium.launchPersistentContext(join(home, 'profile'), {
        executablePath: execFileSync('sh', ['-c', `command -v ${CHROMIUM}`], {
          encoding: 'utf8',
        }).trim(),
        env: { PATH: process.env.PATH ?? '', HOME: home },
        args: [
          `--proxy-pac-url=${proxy.url}/proxy.pac`,
          ...'--no-sandbox --disable-gpu --disable-quic --no-first-run'.split(' '),
          ...'--disable-background-networking --disable-component-update --disable-sync'.split(' '),
        ],
        viewport: { width: 900, height: 600 },
      });
      page = await context.newPage();
    });
    after(() => context?.close());

    it('opens a page by name, without a warning', async () => {
      const answer = await page.goto(`https://${domain}/page`);
      expect([answer?.status(), await page.title()]).to.deep.equal([200, 'hello']);
      expect((await answer!.securityDetails())?.issuer).to.match(/^nws/);
      expect(await page.evaluate('isSecureContext')).to.equal(true);
      expect(asked.join()).to.match(/GET \/page Mozilla.*Chrome/);
    });

    /** What a person reads there. */
    async function failure(host: string, status: number, picture: string): Promise<string> {
      const answer = await page.goto(`https://${host}/`);
      expect(answer?.status()).to.equal(status);
      if (PICTURES !== undefined) {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await page.screenshot({ path: join(PICTURES, `${picture}-${colorScheme}.png`) });
        }
      }
      return page.innerText('body');
    }

    it('shows why there is no page: no exit', async () => {
      const { pubkey } = createSigner(generateSecretKey());
      const host = encodeName({ pubkey, relays: [relay.url] });
      expect(await failure(host, 504, 'no-exit')).to.match(/exit/);
    });

    it('shows why there is no page: a target that is dead', async () => {
      const target = `http://127.0.0.1:${await deadPort()}`;
      const exit = await createExit({ home: join(home, 'dead'), relays: [relay.url], target });
      expect(await failure(exit.domain, 502, 'dead-target')).to.match(/nothing listens|refused/);
      await exit.close(0);
    });

    it('shows why there is no page: another certificate than the exit has signed', async () => {
      const served = await newCertificate(join(home, 'served'));
      const rogue = await RogueExit.start([relay.url], served);
      await rogue.publish(await newCertificate(join(home, 'published')));
      expect(await failure(rogue.hostAt(relay.url), 502, 'bad-pin')).to.match(/certificate/);
      expect(rogue.seen).to.equal('');
      await rogue.close();
    });
  });

  it('Firefox opens a page by name, with the CA and the PAC file alone', async function () {
    if (!has(FIREFOX, ['--version'])) return this.skip();
    const profile = join(home, 'firefox');
    trust(profile);
    const prefs = {
      'network.proxy.type': 2,
      'network.proxy.autoconfig_url': `${proxy.url}/proxy.pac`,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'app.normandy.enabled': false,
      'toolkit.telemetry.server': '',
    };
    const lines = Object.entries(prefs).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    writeFileSync(join(profile, 'user.js'), lines.join('\n'));
    const picture = join(PICTURES ?? home, 'firefox.png');
    const args = ['--headless', '--no-remote', '--profile', profile, '--screenshot', picture];
    const variables = [`HOME=${home}`, 'MOZ_CRASHREPORTER_DISABLE=1'];
    const child = tool('env', [...variables, FIREFOX, ...args, `https://${domain}/firefox`]);
    child.stderr.resume();
    child.stdout.resume();
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
    expect(asked.join()).to.match(/GET \/firefox Mozilla.*Firefox/);
  });
});
