// The programs in examples/, each run as its user would: as a process, with the library as it is shipped.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MemoryRelay } from '../src/index.js';
import { useTempFolder } from './cli/harness.js';
import { type Output, outputOf, tool } from './e2e/support/tools.js';
import { curl } from './proxy/curl.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Run elsewhere: by the test of ssh. */
const ELSEWHERE = ['home.mjs', 'README.md', 'ssh'];

describe('examples', function () {
  this.timeout(60_000);
  const folder = useTempFolder();
  const running: ChildProcess[] = [];
  const ran = new Set<string>();
  let relay: MemoryRelay;

  before(async () => {
    if (!existsSync(`${ROOT}dist/index.js`)) throw new Error('dist/ is missing: npm run build');
    relay = await MemoryRelay.start({});
  });
  afterEach(async () => {
    for (const child of running.splice(0)) {
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).to.deep.equal([0, null]);
    }
  });
  after(async () => {
    await relay.close();
    const missing = readdirSync(`${ROOT}examples`).filter((name) => !ran.has(name));
    expect(missing, 'have no test').to.have.members(ELSEWHERE);
  });

  function example(name: string, ...args: string[]): ChildProcess {
    ran.add(name);
    const env = { PATH: process.env.PATH, NWS_HOME: folder.path, NOSTR_RELAYS: relay.url };
    return spawn(process.execPath, [`examples/${name}`, ...args], { cwd: ROOT, env });
  }

  /** Starts one that serves; gives back the lines that it prints. */
  function serving(name: string): AsyncIterator<string> {
    const child = example(name);
    running.push(child);
    child.stderr!.pipe(process.stderr);
    return createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  async function url(lines: AsyncIterator<string>): Promise<string> {
    const { value } = await lines.next();
    expect(value).to.match(/^https:\/\/.*\.nostr\/$/);
    return value as string;
  }

  const told = (name: string, ...args: string[]): Promise<Output> =>
    outputOf(example(name, ...args));

  it('hello.mjs is read by fetch.mjs', async () => {
    const at = await url(serving('hello.mjs'));
    const { status, stdout, stderr } = await told('fetch.mjs', `${at}page`);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    expect(stdout).to.match(/^200 \{"hello":"[0-9a-f]{64}","path":"\/page"\}\n$/);
  });

  it('chat.mjs talks with agent.mjs', async () => {
    const at = await url(serving('chat.mjs'));
    const { status, stdout, stderr } = await told('agent.mjs', at);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    expect(stdout).to.equal('200 a WebSocket is at this address\n\nheard: hello\n');
  });

  it('events.mjs tells the time, and watch.mjs of the streams', async () => {
    const at = await url(serving('events.mjs'));
    const watched = serving('watch.mjs');
    const ready = JSON.parse((await watched.next()).value as string);
    expect(ready).to.include({ event: 'ready' });
    const options = ['--proxy', ready.url, '--cacert', ready.caPath];
    const page = await curl(...options, at);
    expect(page.stdout).to.match(/EventSource\('\/time'\)/);
    const heard = new Set<string>();
    while (!heard.has('stream opened') || !heard.has('pin undefined') || !heard.has('relay up')) {
      const { event, state } = JSON.parse((await watched.next()).value as string);
      heard.add(`${event} ${state}`);
    }
    const time = tool('curl', ['-qsSN', ...options, `${at}time`]);
    const [first] = await once(time.stdout, 'data');
    expect(String(first)).to.match(/^data: \d{4}-\d\d-\d\dT.*Z\n\n$/);
    time.kill();
    await once(time, 'exit');
  });

  it('are all in the list', () => {
    const list = readFileSync(`${ROOT}examples/README.md`, 'utf8');
    const named = [...list.matchAll(/^\| \[(.*?)\]/gm)].map(([, name]) => name);
    const files = readdirSync(`${ROOT}examples`);
    expect([...named, 'README.md', 'home.mjs']).to.have.members(files);
  });
});
