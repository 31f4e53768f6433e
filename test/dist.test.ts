// The program and the library as they are shipped: bundles in dist/, made by `npm run build`.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { withPreload } from '../src/cli/run/node-options.js';
import { stackOf } from '../src/stack.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = `${ROOT}dist/main.js`;

/** Tells on stderr which modules of npm packages and of ours a program loads. */
const TELL_LOADS = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module';
  const hook = 'export const load = (url, context, next) => { if (url.startsWith("file:")) process._rawDebug("LOAD " + url); return next(url, context); };';
  register('data:text/javascript,' + encodeURIComponent(hook));
`)}`;

async function loadsOf(...argv: string[]): Promise<string[]> {
  const { stderr } = await run(process.execPath, ['--import', TELL_LOADS, MAIN, ...argv]);
  const lines = stderr.split('\n').filter((line) => line.startsWith('LOAD '));
  return lines.map((line) => line.slice('LOAD '.length));
}

describe('what is shipped', () => {
  before(() => {
    if (!existsSync(MAIN)) throw new Error('dist/ is missing: npm run build');
  });

  it('tells its version without loading commands or packages', async () => {
    const { stdout } = await run(process.execPath, [MAIN, '--version']);
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
    expect(stdout).to.equal(`${version}\n`);
    const loads = await loadsOf('--version');
    expect(loads).to.have.lengthOf.within(1, 12);
    expect(loads.filter((url) => url.includes('node_modules'))).to.deep.equal([]);
  });

  it('loads for a command what that command needs, in a few files', async () => {
    const name = await loadsOf('name', '--pubkey', 'f'.repeat(63).concat('0')).catch(
      (error: { stderr: string }) => error.stderr.match(/LOAD \S+/g) ?? [],
    );
    expect(name.filter((url) => /\/(proxy|exit|relay|demo)-/.test(url))).to.deep.equal([]);
    expect(name).to.have.lengthOf.within(2, 40);
  });

  it('has the file that nws run names in NODE_OPTIONS', async () => {
    expect(existsSync(`${ROOT}dist/fetch-preload.cjs`)).to.equal(true);
    const home = await mkdtemp(join(tmpdir(), 'nws-dist-'));
    const argv = [MAIN, 'run', '--home', home, '--', process.execPath, '-p'];
    const env = { PATH: process.env.PATH, HOME: home };
    const { stdout } = await run(process.execPath, [...argv, 'process.env.NODE_OPTIONS'], { env });
    expect(stdout).to.equal(`${withPreload(undefined, `${ROOT}dist/fetch-preload.cjs`)}\n`);
    await rm(home, { recursive: true });
  });

  it('serves its status page, and loads what writes metrics when somebody asks for them', async () => {
    const home = await mkdtemp(join(tmpdir(), 'nws-dist-'));
    const argv = ['--import', TELL_LOADS, MAIN, 'proxy', '--listen', '127.0.0.1:0', '--json'];
    const child = spawn(process.execPath, [...argv, '--home', home], {
      env: { PATH: process.env.PATH },
    });
    let loads = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      loads += text;
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { listen } = JSON.parse(String(line)) as { listen: string };
    for (const path of ['/', '/status/page.js', '/status/uplot.js', '/status/uplot.css']) {
      const { status } = await fetch(listen + path);
      expect([path, status]).to.deep.equal([path, 200]);
    }
    expect(loads).to.not.match(/prom-client/);
    expect(await (await fetch(`${listen}/metrics`)).text()).to.match(/^nws_ready 1$/m);
    expect(loads).to.match(/prom-client/);
    child.kill();
    await once(child, 'exit');
    await rm(home, { recursive: true });
  });

  it('has a library entry with its types beside it', async () => {
    const library = (await import(`${ROOT}dist/index.js`)) as Record<string, unknown>;
    expect(library).to.include.keys('createProxy', 'createExit', 'createDispatcher', 'NwsError');
    expect(readFileSync(`${ROOT}dist/index.d.ts`, 'utf8')).to.match(/createProxy/);
  });

  it('has source maps by which a stack trace names source files', async () => {
    const code = `
      const { parseRule } = await import('${ROOT}dist/index.js');
      try { parseRule('['); } catch (error) { console.log(error.stack); }`;
    const script = ['--input-type=module', '--eval', code];
    const { stdout: stack } = await run(process.execPath, script);
    expect(stack).to.match(/dist\/chunks\/\S+\.js:\d+/);
    const told = stackOf(Object.assign(new Error(), { stack }));
    expect(told)
      .to.match(/src\/exit\/policy\/rules\.ts:\d+:\d+/)
      .and.not.include('dist/chunks');
  });
});
