// The package that `npm pack` makes, installed in a folder of its own without what only developers need, and run by npx.
// NWS_TEST_REGISTRY=1 has npm install it, from its registry; otherwise what npm would bring is copied from here.

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { jsonLines, useTempFolder } from './cli/harness.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** In bytes, packed: what it has, and a little more. */
const MAX_SIZE = 1_500_000;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

describe('the package', function () {
  this.timeout(180_000);
  const folder = useTempFolder();
  let packed: Packed;

  before(async () => {
    if (!existsSync(`${ROOT}dist/main.js`)) throw new Error('dist/ is missing: npm run build');
    const argv = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder.path];
    const { stdout } = await run('npm', argv, { cwd: ROOT, maxBuffer: 16_000_000 });
    [packed] = JSON.parse(stdout) as [Packed];
    writeFileSync(join(folder.path, 'package.json'), '{"private":true,"type":"module"}');
    const tarball = join(folder.path, packed.filename);
    if (process.env.NWS_TEST_REGISTRY === undefined) await copy(tarball);
    else await inFolder('npm', 'install', '--omit=dev', '--no-audit', '--no-fund', tarball);
  });

  /** Without the variables of this machine. */
  const inFolder = (command: string, ...argv: string[]) => {
    const { PATH, npm_config_cache } = process.env;
    const env = { PATH, HOME: folder.path, NWS_HOME: join(folder.path, 'home'), npm_config_cache };
    return run(command, argv, { cwd: folder.path, env });
  };

  async function copy(tarball: string): Promise<void> {
    const modules = join(folder.path, 'node_modules');
    const own = join(modules, 'nws');
    mkdirSync(own, { recursive: true });
    await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
    const list = ['ls', '--all', '--omit=dev', '--parseable'];
    const { stdout } = await run('npm', list, { cwd: ROOT });
    for (const path of stdout.split('\n')) {
      const name = relative(join(ROOT, 'node_modules'), path);
      // One that lies in another comes along with it.
      if (path === '' || name.startsWith('..') || name.includes('node_modules')) continue;
      cpSync(path, join(modules, name), { recursive: true });
    }
    mkdirSync(join(modules, '.bin'));
    symlinkSync('../nws/dist/main.js', join(modules, '.bin/nws'));
    await chmod(join(own, 'dist/main.js'), 0o755);
  }

  it('has what it needs to run and to be read, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).to.include.members([
      'dist/main.js',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/fetch-preload.cjs',
      'dist/page/index.html',
      'docs/recipes.md',
      'examples/hello.mjs',
      'README.md',
      'CHANGELOG.md',
      'SECURITY.md',
      'LICENSE',
      '.env.example',
      'package.json',
    ]);
    const places = new Set(paths.map((path) => path.split('/')[0]));
    expect(
      [...places].filter((place) => /^(src|test|scripts|node_modules)$/.test(place!)),
    ).to.deep.equal([]);
    expect(packed.size).to.be.below(MAX_SIZE);
  });

  it('runs by npx: version, and the demo', async () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
    const told = await inFolder('npx', '--no', '--', 'nws', '--version');
    expect(told.stdout).to.equal(`${version}\n`);
    const { stdout } = await inFolder('npx', '--no', '--', 'nws', 'demo', '--once', '--json');
    expect(JSON.stringify(jsonLines(stdout))).to.match(/verified|fingerprint/);
  });

  it('runs commands with fetch() through the proxy', async () => {
    const { stdout } = await inFolder(
      'npx',
      '--no',
      '--',
      'nws',
      'run',
      '--',
      'node',
      '-p',
      'process.env.NODE_OPTIONS',
    );
    expect(stdout).to.match(/nws\/dist\/fetch-preload\.cjs/);
  });

  it('is a library', async () => {
    writeFileSync(join(folder.path, 'program.js'), PROGRAM);
    const { stdout, stderr } = await inFolder(process.execPath, 'program.js');
    expect({ stdout, stderr }).to.deep.equal({ stdout: '200 hello from /page\n', stderr: '' });
  });

  it('has types that a program in TypeScript is checked against', async () => {
    writeFileSync(join(folder.path, 'program.ts'), TYPED);
    const types = join(ROOT, 'node_modules/@types');
    const options =
      '--noEmit --strict --skipLibCheck --module nodenext --target es2022 --types node';
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const argv = [tsc, ...options.split(' '), '--typeRoots', types, 'program.ts'];
    const { stdout } = await inFolder(process.execPath, ...argv).catch((error) => error);
    expect(stdout.split('\n').slice(0, 3)).to.deep.equal([
      "program.ts(4,28): error TS2339: Property 'nothing' does not exist on type 'RunningExit'.",
      '',
    ]);
  });
});

const PROGRAM = `
import { createDispatcher, createExit, createProxy, MemoryRelay } from 'nws';
import { fetch } from 'undici';
const relay = await MemoryRelay.start({});
const exit = await createExit({ home: 'exit', relays: [relay.url] });
await exit.serve((request) => new Response('hello from ' + new URL(request.url).pathname));
const proxy = await createProxy({ home: 'proxy' });
const dispatcher = await createDispatcher(proxy);
const response = await fetch('https://' + exit.domain + '/page', { dispatcher });
console.log(response.status, await response.text());
await dispatcher.close();
await proxy.close(0);
await exit.close(0);
await relay.close();
`;

const TYPED = `import { createExit, type StreamEvent } from 'nws';
const exit = await createExit({ home: 'exit', relays: [] });
await exit.serve(async (request: Request) => new Response(request.url));
const wrong: string = exit.nothing;
exit.events.on('stream', (event: StreamEvent) => event.state === 'ended' && event.bytesUp + 1);
`;
