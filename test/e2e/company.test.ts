// `nws run` in a company: its proxy leads to the clear web, its CA vouches for sites there, and the settings of git, npm
// and pip name both. Each tool reaches all of it, and `.nostr`, without being told more.

import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  createExit,
  createSigner,
  generateSecretKey,
  MemoryRelay,
  type RunningExit,
} from '../../src/index.js';
import { openExitCertificate } from '../../src/tls/certificate.js';
import { spawnMain, useTempFolder } from '../cli/harness.js';
import { CompanyProxy } from '../proxy/clearnet/company-proxy.js';
import { deadPort, listen, type Running } from '../support/servers.js';
import { has, type Output, outputOf } from './support/tools.js';

const HOST = 'secure.example';
const LOGIN = 'jo:pa%40ss';

describe('nws run in a company', function () {
  this.timeout(120_000);
  const folder = useTempFolder();
  let relay: MemoryRelay;
  let exit: RunningExit;
  let plain: Running<Server>;
  let secure: Running<Server>;
  let company: CompanyProxy;
  let child: ChildProcess | undefined;

  before(async () => {
    const serve = siteOf(join(folder.path, 'site'));
    plain = await listen(createHttpServer(serve));
    const { pubkey } = createSigner(generateSecretKey());
    const { cert, key } = await openExitCertificate(folder.path, pubkey, [HOST]);
    secure = await listen<Server>(createHttpsServer({ cert, key }, serve));
    relay = await MemoryRelay.start();
    const target = `http://127.0.0.1:${plain.port}`;
    exit = await createExit({ home: join(folder.path, 'exit'), relays: [relay.url], target });
    company = await CompanyProxy.start({ login: LOGIN });
    Object.assign(company, { port: plain.port, securePort: secure.port });
    await writeSettings(folder.path, cert);
  });
  after(async () => {
    child?.kill('SIGKILL');
    await exit.close(0);
    await relay.close();
    await Promise.all([company.close(), plain.close(), secure.close()]);
  });
  beforeEach(() => {
    company.asked.length = 0;
  });

  async function run(
    command: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Output> {
    const argv = ['run', '--relay', relay.url, '--log-level', 'debug', '--', ...command];
    const outer = { HTTP_PROXY: company.url, HTTPS_PROXY: company.url, ...env };
    child = spawnMain(folder.path, argv, outer);
    const output = await outputOf(child);
    for (const secret of [LOGIN, 'pa@ss', Buffer.from('jo:pa@ss').toString('base64')]) {
      expect(output.stderr).to.not.include(secret);
    }
    return output;
  }

  /** Runs a tool against a site by name, by the company's way and through the tunnel. */
  function reaches(
    name: string,
    version: readonly string[],
    command: (base: string) => string[],
    answer: RegExp,
  ): void {
    if (!has(name, version)) return;
    it(`lets ${name} reach .nostr, and the clear web by the company’s proxy`, async () => {
      const named = await run(command(`https://${exit.domain}`));
      expect(named.stdout, named.stderr).to.match(answer);
      expect(company.asked).to.deep.equal([]);
      const { stdout, stderr } = await run(command(`https://${HOST}`));
      expect(stdout, stderr).to.match(answer);
      expect(new Set(company.asked)).to.deep.equal(new Set([`CONNECT ${HOST}:443`]));
    });
  }

  reaches('curl', ['--version'], (base) => ['curl', '-q', '-sS', `${base}/page`], /^GET \/page$/m);
  reaches('git', ['--version'], (base) => ['git', 'ls-remote', `${base}/repo`], /HEAD$/m);
  reaches(
    'node',
    ['--version'],
    (base) => ['node', '-e', `fetch('${base}/page').then((a) => a.text()).then(console.log)`],
    /^GET \/page$/m,
  );
  reaches(
    'npm',
    ['--version'],
    (base) => ['npm', 'view', 'thing', 'version', '--registry', base],
    /^1\.2\.3$/m,
  );
  reaches(
    'pip',
    ['--version'],
    (base) => ['pip', 'index', 'versions', 'thing', '--index-url', `${base}/simple`],
    /1\.2\.3/,
  );
  reaches('wget', ['--version'], (base) => ['wget', '-qO-', `${base}/page`], /^GET \/page$/m);

  it('forwards plain requests, which many such proxies don’t let through by CONNECT', async () => {
    const { stdout } = await run(['curl', '-q', '-sS', 'http://plain.example/a']);
    expect(stdout).to.equal('GET /a\n');
    expect(company.asked).to.deep.equal(['GET http://plain.example/a']);
  });

  it('speaks TLS to a proxy that wants it', async () => {
    const { pubkey } = createSigner(generateSecretKey());
    const home = join(folder.path, 'tls');
    const tls = await openExitCertificate(home, pubkey, ['localhost']);
    const other = await CompanyProxy.start({ tls, login: LOGIN });
    Object.assign(other, { port: plain.port, securePort: secure.port });
    const ca = join(folder.path, 'proxy.pem');
    writeFileSync(ca, tls.cert);
    const env = { HTTP_PROXY: other.url, HTTPS_PROXY: other.url, NODE_EXTRA_CA_CERTS: ca };
    const command = ['curl', '-q', '-sS', 'http://plain.example/a', `https://${HOST}/b`];
    expect((await run(command, env)).stdout).to.equal('GET /a\nGET /b\n');
    expect(other.asked).to.deep.equal(['GET http://plain.example/a', `CONNECT ${HOST}:443`]);
    await other.close();
  });

  it('leaves what runs on this machine alone', async () => {
    const url = `http://localhost:${plain.port}/here`;
    const script = `curl -q -sS ${url}; echo "$NO_PROXY"`;
    const { stdout } = await run(['sh', '-c', script]);
    expect(stdout).to.equal('GET /here\nlocalhost,127.0.0.1,::1\n');
    expect(company.asked).to.deep.equal([]);
  });

  it('dials what NO_PROXY names, also for a tool that ignores it', async () => {
    const command = ['curl', '-q', '-sS', '--noproxy', '', 'http://host.invalid/'];
    const { stdout } = await run(command, { NO_PROXY: '.invalid' });
    expect(stdout).to.match(/^nws: .*host\.invalid/);
    expect(company.asked).to.deep.equal([]);
  });

  it('says so when the company’s proxy is gone', async () => {
    const proxy = `http://${LOGIN}@127.0.0.1:${await deadPort()}`;
    const env = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    const { stdout } = await run(['curl', '-q', '-sS', 'http://plain.example/'], env);
    expect(stdout).to.match(/^nws: can't use the upstream proxy 127\.0\.0\.1:\d+: .*NO_PROXY/);
    const named = await run(['curl', '-q', '-sS', `https://${exit.domain}/page`], env);
    expect(named.stdout).to.equal('GET /page\n');
  });
});

/** The settings of a user's tools: a proxy that is gone, and the company's CA. */
async function writeSettings(home: string, ca: string): Promise<void> {
  const gone = `http://127.0.0.1:${await deadPort()}`;
  const path = join(home, 'corp.pem');
  const write = (name: string, ...lines: string[]): void =>
    writeFileSync(join(home, name), `${lines.join('\n')}\n`);
  write('corp.pem', ca);
  write('.gitconfig', '[http]', `  proxy = ${gone}`, `  sslCAInfo = ${path}`);
  write('.npmrc', `proxy=${gone}`, `https-proxy=${gone}`, `cafile=${path}`, 'fetch-retries=0');
  mkdirSync(join(home, '.config/pip'), { recursive: true });
  write('.config/pip/pip.conf', '[global]', `proxy = ${gone}`, `cert = ${path}`, 'retries = 0');
  write('.wgetrc', `https_proxy = ${gone}`, `ca_certificate = ${path}`, 'tries = 1');
}

/** A page, a repository as plain files, and a package for npm and for pip. */
function siteOf(folder: string): RequestListener {
  if (has('git', ['--version'])) makeRepository(folder);
  return ({ method, url = '/' }, res) => {
    const [, file] = /^\/repo\/([\w/.-]+)/.exec(url) ?? [];
    if (url === '/thing') return void res.end(packument());
    if (url === '/simple/thing/') {
      res.setHeader('Content-Type', 'text/html');
      return void res.end('<!DOCTYPE html><a href="thing-1.2.3.tar.gz">thing-1.2.3.tar.gz</a>');
    }
    if (file === undefined) return void res.end(`${method} ${url}\n`);
    try {
      res.end(readFileSync(join(folder, '.git', file)));
    } catch {
      res.writeHead(404).end();
    }
  };
}

function packument(): string {
  const dist = { tarball: 'http://x.invalid/thing.tgz', shasum: '00'.repeat(20) };
  const version = { name: 'thing', version: '1.2.3', dist };
  const versions = { '1.2.3': version };
  return JSON.stringify({ name: 'thing', 'dist-tags': { latest: '1.2.3' }, versions });
}

function makeRepository(folder: string): void {
  mkdirSync(folder);
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: string[]): void => void execFileSync('git', args, { cwd: folder, env });
  git('init', '-q');
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  git(...author, 'commit', '-q', '--allow-empty', '-m', 'first');
  git('update-server-info');
}
