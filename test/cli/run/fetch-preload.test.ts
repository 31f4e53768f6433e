// What is loaded into a command's Node: fetch() by the proxy of the environment, and nothing else changed.

import { execFile } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { withPreload } from '../../../src/cli/run/node-options.js';
import { listen, listenHttp, type Running } from '../../support/servers.js';
import { useTempFolder } from '../harness.js';

const run = promisify(execFile);
const PRELOAD = fileURLToPath(new URL('../../../src/cli/run/fetch-preload.cjs', import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const DOES_ITSELF = major >= 24 || (major === 22 && minor >= 21);
/** Says what it got, or why it got nothing. */
const FETCH = `
  const get = (url) => fetch(url).then((answer) => answer.text()).then(console.log, (e) => console.log(e.cause.code));
`;

describe('nws run: fetch() in Node', () => {
  const folder = useTempFolder();
  let site: Running<Server>;
  let proxy: Running<Server>;
  let asked: string[];

  beforeEach(async () => {
    asked = [];
    site = await listenHttp((_req, res) => res.end('hello'));
    proxy = await listen(createServer());
    proxy.server.on('connect', (req, client) => {
      asked.push(req.url ?? '');
      const upstream = connect(site.port, '127.0.0.1');
      client.on('error', () => undefined).write('HTTP/1.1 200 OK\r\n\r\n');
      client
        .pipe(upstream)
        .on('error', () => undefined)
        .pipe(client);
    });
  });
  afterEach(() => Promise.all([site.close(), proxy.close()]));

  async function node(
    code: string,
    env: Record<string, string> = {},
    preload = PRELOAD,
  ): Promise<{ stdout: string; stderr: string }> {
    const url = `http://127.0.0.1:${proxy.port}`;
    const proxies = { HTTP_PROXY: url, HTTPS_PROXY: url, NODE_USE_ENV_PROXY: '1' };
    const own = { PATH: process.env.PATH, NODE_OPTIONS: withPreload(undefined, preload) };
    return run(process.execPath, ['-e', FETCH + code], { env: { ...own, ...proxies, ...env } });
  }

  it('goes by the proxy, and past it where NO_PROXY says so', async () => {
    const code = `get('http://name.nostr/').then(() => get('http://localhost:${site.port}/'))`;
    const { stdout, stderr } = await node(code, { NO_PROXY: 'localhost' });
    expect({ stdout, stderr }).to.deep.equal({ stdout: 'hello\nhello\n', stderr: '' });
    expect(asked).to.deep.equal(['name.nostr:80']);
  });

  it('goes by the proxy in a worker, too', async () => {
    const script = JSON.stringify(`${FETCH} get('http://name.nostr/')`);
    const { stdout } = await node(
      `new (require('node:worker_threads').Worker)(${script}, { eval: true })`,
    );
    expect(stdout).to.equal('hello\n');
    expect(asked).to.deep.equal(['name.nostr:80']);
  });

  it('is left alone where the variable is not 1', async () => {
    const { stdout } = await node(`get('http://name.invalid/')`, { NODE_USE_ENV_PROXY: '0' });
    expect(stdout).to.match(/^(ENOTFOUND|EAI_AGAIN)\n$/);
    expect(asked).to.deep.equal([]);
  });

  it('loads nothing before fetch is used', async () => {
    const { stdout } = await node(`
      const loaded = () => Object.keys(require('node:module')._cache).some((path) => /undici/.test(path));
      console.log(loaded());
      get('http://name.nostr/');
    `);
    expect(stdout).to.equal('false\nhello\n');
  });

  if (DOES_ITSELF) return;

  it('leaves a dispatcher that the user’s own preload has set', async () => {
    const own = join(folder.path, 'own.cjs');
    const symbol = `Symbol.for('undici.globalDispatcher.1')`;
    writeFileSync(own, `globalThis[${symbol}] = { dispatch() { throw new Error('mine'); } };`);
    const code = `fetch('http://a.nostr/').catch((e) => console.log(e.cause.message))`;
    const { stdout } = await node(code, { NODE_OPTIONS: withPreload(`--require ${own}`, PRELOAD) });
    expect(stdout).to.equal('mine\n');
  });

  it('lets a program set another dispatcher, before its first fetch and behind it', async () => {
    const undici = fileURLToPath(import.meta.resolve('undici'));
    const { stdout } = await node(`
      const { Agent, setGlobalDispatcher } = require(${JSON.stringify(undici)});
      setGlobalDispatcher(new Agent());
      const url = 'http://localhost:${site.port}/';
      get(url).then(() => setGlobalDispatcher(new Agent())).then(() => get(url));
    `);
    expect(stdout).to.equal('hello\nhello\n');
    expect(asked).to.deep.equal([]);
  });

  it('warns where undici can’t be loaded, and fetch goes on without', async () => {
    const alone = join(folder.path, 'alone.cjs');
    copyFileSync(PRELOAD, alone);
    const { stdout, stderr } = await node(`get('http://localhost:${site.port}/')`, {}, alone);
    expect(stdout).to.equal('hello\n');
    expect(stderr).to.match(
      /Warning: nws: fetch\(\) goes without the proxy in this Node: .*undici/,
    );
  });
});
