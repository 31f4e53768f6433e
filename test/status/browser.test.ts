// The page in Chromium: that it can be read by everybody (axe-core), keeps itself up to date, shows what strangers
// write as text, isn't slow with a thousand streams, and that other pages read nothing.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Browser, Page } from 'playwright-core';
import { NwsError } from '../../src/errors.js';
import { RelayLedger } from '../../src/relay/counts.js';
import { StatusServer } from '../../src/status/serving/server.js';
import type { Subject } from '../../src/status/state/watch.js';
import { subject } from '../support/subject.js';
import { chromiumPath, startChromium } from './chromium.js';
import { FakeStream } from './streams.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PEER = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const RELAY = 'wss://relay.example';
const HOSTILE = '<img src=x onerror="document.title=`taken`">';
const executable = chromiumPath();

interface AxeResults {
  readonly violations: readonly { id: string; nodes: { html: string }[] }[];
  readonly passes: readonly { id: string }[];
}

describe('the status page in Chromium', function () {
  if (executable === undefined) return;
  this.timeout(60_000);
  let browser: Browser;
  let watched: Subject;
  let server: StatusServer;

  before(async () => {
    // A name that its owner points at this machine.
    browser = await startChromium(executable, '--host-resolver-rules=MAP evil.example 127.0.0.1');
  });
  after(() => browser.close());

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await server.close();
  });

  /** Something of everything. */
  async function start(role: 'proxy' | 'exit' = 'proxy'): Promise<void> {
    const ledger = new RelayLedger();
    ledger.of(RELAY).refused(`blocked: ${HOSTILE}`);
    const links = () =>
      [
        { url: RELAY, isUp: true, okLatencyMs: 12, eventLimitBytes: 65_536, unconfirmedBytes: 0 },
        { url: 'ws://down.example', isUp: false, lastError: 'ECONNREFUSED', eventLimitBytes: 1 },
      ] as never;
    const pin = { pubkey: PEER, npub: 'npub1x', fingerprint: 'ab'.repeat(32), successors: 1 };
    const times = { signedAt: 1e12, since: 1e12, changes: 2, changedAt: 1e12 };
    watched = subject({
      ...{ role, pool: { links, ledger }, pins: () => [{ ...pin, ...times }], pinsKnown: () => 1 },
      ...(role === 'exit' && {
        about: () => ({ name: HOSTILE, npub: 'npub1x', target: 'http://x' }),
      }),
    });
    watched.accounts.failures.note(new NwsError('dns_error', HOSTILE), HOSTILE);
    const listen = { host: '127.0.0.1', port: 0 };
    server = await StatusServer.start({ listen, subject: watched, log: pino({ level: 'silent' }) });
  }

  function open(destination: string, bytes = 0): FakeStream {
    const stream = new FakeStream(bytes, bytes);
    watched.accounts.opened({ stream: `key-${destination}`, peer: PEER, destination }, stream);
    return stream;
  }

  /** The page once it shows something; what the browser finds wrong with it goes into `faults`. */
  async function visit(options = {}): Promise<Page & { readonly faults: string[] }> {
    const page = await (await browser.newContext(options)).newPage();
    const faults: string[] = [];
    page.on(
      'console',
      (message) => void (message.type() === 'error' && faults.push(message.text())),
    );
    page.on('pageerror', (error) => void faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url)) faults.push(`asks ${request.url()}`);
    });
    await page.goto(server.url);
    await page.getByText('live', { exact: true }).waitFor();
    return Object.assign(page, { faults });
  }

  const row = (page: Page, text: string) => page.locator('tr', { hasText: text });

  for (const [role, colorScheme, width] of [
    ['proxy', 'light', 1_280],
    ['proxy', 'dark', 360],
    ['exit', 'dark', 1_280],
    ['exit', 'light', 360],
  ] as const) {
    it(`of the ${role} can be read by everybody: ${colorScheme}, ${width} pixels wide`, async () => {
      await start(role);
      open(`${'x'.repeat(52)}.nostr:443`, 5_000);
      const page = await visit({ colorScheme, viewport: { width, height: 800 } });
      await row(page, ':443').first().waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).to.be.at.most(width);
      expect(await page.locator('body').innerText()).to.not.match(/undefined|NaN|\[object/);
      // By the debugger's way in, which the page's own policy doesn't bar.
      const { violations, passes } = (await page.evaluate(`${AXE}; axe.run()`)) as AxeResults;
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      expect(found).to.deep.equal([]);
      const looked = passes.map(({ id }) => id);
      expect(looked).to.include.members(['color-contrast', 'label', 'document-title']);
      expect(page.faults).to.deep.equal([]);
    });
  }

  it('shows streams as they come, carry and go, without being loaded anew', async () => {
    await start();
    const page = await visit();
    await page.getByText('No stream is open.').waitFor();
    await page.evaluate('window.isTheSame = true');
    const stream = open('shop.nostr:443');
    await row(page, 'shop.nostr:443').first().waitFor();
    stream.carry(1_500_000, 2_000);
    const cells = row(page, 'shop.nostr:443').first();
    await cells.getByText('1.5 MB', { exact: true }).waitFor();
    await cells.getByText('2.0 kB', { exact: true }).waitFor();
    await page.locator('#figures', { hasText: '1.5 MB' }).waitFor();
    await stream.close();
    await page.getByText('No stream is open.').waitFor();
    expect(await page.evaluate('window.isTheSame')).to.equal(true);
    expect(page.faults).to.deep.equal([]);
  });

  it('comes back by itself where the program is started anew', async () => {
    await start();
    const page = await visit();
    const listen = { host: '127.0.0.1', port: Number(new URL(server.url).port) };
    await server.close();
    await page.getByText('trying again').waitFor();
    open('after.nostr:443');
    server = await StatusServer.start({ listen, subject: watched, log: pino({ level: 'silent' }) });
    await row(page, 'after.nostr:443').first().waitFor();
  });

  it('takes what strangers write for text', async () => {
    await start('exit');
    open(HOSTILE);
    const page = await visit();
    await row(page, HOSTILE).first().waitFor();
    expect(await page.locator('img').count()).to.equal(0);
    expect(await page.title()).to.equal('nws exit');
    expect(page.faults).to.deep.equal([]);
  });

  it('shows a hundred of a thousand streams, and finds the others', async () => {
    await start();
    for (let count = 1; count <= 1_000; count += 1) open(`host${count}.nostr:443`, count);
    const page = await visit();
    const section = page.getByRole('region', { name: /^Streams/ });
    await section.getByText('100 of 1,000').waitFor();
    expect(await section.locator('tbody tr').count()).to.equal(100);
    expect(await section.locator('tbody th').first().textContent()).to.equal('host1000.nostr:443');
    await page.getByLabel('Filter streams').fill('host77');
    await section.getByText('11', { exact: true }).waitFor();
    await page.getByLabel('Order of streams').selectOption('oldest first');
    await section.locator('tbody tr:first-child', { hasText: 'host77.nostr' }).waitFor();
    await page.getByLabel('Filter streams').fill('nowhere');
    await page.getByText('No stream matches.').waitFor();
    expect(page.faults).to.deep.equal([]);
  });

  it('is read by no page of another origin, by whatever way', async () => {
    await start();
    const { port } = new URL(server.url);
    const elsewhere: Server = createServer((_req, res) => {
      res
        .writeHead(200, { 'Content-Type': 'text/html' })
        .end('<!doctype html><title>elsewhere</title>');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => elsewhere.once('listening', resolve));
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://localhost:${(elsewhere.address() as AddressInfo).port}`);
    const tried = (await page.evaluate(`(async () => {
      const told = (act) => new Promise(act);
      const outcome = {};
      for (const host of ['127.0.0.1', 'localhost']) {
        const at = 'http://' + host + ':${port}';
        outcome[host] = [
          await fetch(at + '/status.json').then((r) => r.text(), () => 'barred'),
          await fetch(at + '/metrics', { mode: 'no-cors' }).then((r) => r.text(), () => 'barred'),
          await told((done) => { const s = new EventSource(at + '/events'); s.onmessage = () => done('read'); s.onerror = () => done('barred'); }),
          await told((done) => { const i = new Image(); i.onload = () => done('read'); i.onerror = () => done('barred'); i.src = at + '/status/icon.svg'; }),
          await told((done) => { const f = document.createElement('iframe'); f.onload = () => { try { done(f.contentDocument ? 'read' : 'barred'); } catch { done('barred'); } }; f.src = at + '/'; document.body.append(f); }),
        ];
      }
      return outcome;
    })()`)) as Record<string, string[]>;
    for (const outcomes of Object.values(tried)) {
      expect(outcomes.map((text) => text || 'barred')).to.deep.equal(Array(5).fill('barred'));
    }
    // By a name of its own that it points here, the page is of the same origin as what it asks for.
    const rebound = await page.goto(`http://evil.example:${port}/status.json`);
    expect(rebound?.status()).to.equal(403);
    expect(await rebound?.text()).to.not.include('relay');
    await new Promise((resolve) => elsewhere.close(resolve));
    elsewhere.closeAllConnections();
  });
});
