// What the proxy answers for itself, and to whom.

import { expect } from 'chai';
import { curl } from '../curl.js';
import { TestEntry } from '../fixture.js';

describe('proxy: its own pages', () => {
  let entry: TestEntry;
  let obstacle: string | undefined;

  before(async () => {
    entry = await TestEntry.start({ obstacle: () => obstacle });
  });

  beforeEach(() => {
    obstacle = undefined;
  });

  after(() => entry.close());

  const get = async (path: string, ...args: string[]): Promise<string> =>
    (await curl('-w', '\n%{http_code}', ...args, `${entry.url}${path}`)).stdout;

  it('says that it is alive, and whether a relay is up', async () => {
    expect(await get('/healthz')).to.equal('ok\n\n200');
    expect(await get('/readyz')).to.equal('ready\n\n200');
    obstacle = 'no relay is up';
    expect(await get('/readyz?now')).to.equal('no relay is up\n\n503');
  });

  it('gives browsers a PAC file with the address that they used', async () => {
    const pac = await get('/proxy.pac', '-H', 'Host: localhost:1234');
    expect(pac).to.match(/dnsDomainIs\(host, "\.nostr"\)\) return "PROXY localhost:1234"/);
    expect(pac).to.include('return "DIRECT"');
  });

  it('gives away the certificate of the CA, and not its key', async () => {
    const pem = await get('/ca.pem');
    expect(pem).to.equal(`${entry.authority.pem}\n200`);
    expect(pem).not.to.include('PRIVATE');
  });

  it('says which pages there are, anywhere else', async () => {
    expect(await get('/nowhere')).to.match(/^nws: no such page; there are .*\n\n404$/);
  });

  it('shows what goes on', async () => {
    expect(await get('/')).to.match(/^<!doctype html>.*200$/s);
    const [json = ''] = (await get('/status.json')).split('\n');
    expect(JSON.parse(json)).to.deep.include({ role: 'proxy', relays: [], streams: [], pins: [] });
    expect(await get('/metrics')).to.match(/^nws_ready 1$/m);
  });

  it('takes GET and HEAD alone', async () => {
    expect(await get('/healthz', '-d', 'x')).to.match(/405$/);
    expect(await get('/healthz', '-I')).to.match(/^HTTP\/1\.1 200 /);
  });

  for (const host of ['evil.example', '127.0.0.1.evil.example', '10.0.0.1', 'a b', 'x.nostr']) {
    it(`tells nothing to a page of ${host}`, async () => {
      const answer = await get('/ca.pem', '-H', `Host: ${host}`);
      expect(answer).to.match(/403$/).and.not.to.include('CERTIFICATE');
    });
  }

  it('tells nothing to web pages of other origins, but browsers where to find the proxy', async () => {
    const elsewhere = ['-H', 'Origin: https://evil.example', '-H', 'Sec-Fetch-Site: cross-site'];
    for (const path of ['/', '/status.json', '/metrics', '/events', '/readyz']) {
      expect(await get(path, ...elsewhere)).to.match(/^nws: these pages are not for other.*403$/s);
    }
    expect(await get('/proxy.pac', ...elsewhere)).to.match(/FindProxyForURL.*200$/s);
  });

  it('answers in absolute form, too, instead of asking itself', async () => {
    expect(await get('/healthz', '--proxy', entry.url)).to.equal('ok\n\n200');
    const url = `http://localhost:${entry.proxyPort}/healthz`;
    expect((await curl('--proxy', entry.url, url)).stdout).to.equal('ok\n');
  });

  it('upgrades to nothing', async () => {
    const upgrade = ['-H', 'Connection: upgrade', '-H', 'Upgrade: websocket'];
    expect(await get('/', ...upgrade)).to.match(/nothing to upgrade.*\n\n400$/);
  });
});
