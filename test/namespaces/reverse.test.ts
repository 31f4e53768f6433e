// CONNECTR between two hosts with a network between them: used where the exit reaches the entry, and done without where
// it can't, soon enough that a client only notices a pause.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../support/until.js';
import { ENTRY_ADDRESS, EXIT_ADDRESS, Lab, obstacle, RELAY_ADDRESS } from './lab.js';
import type { Started } from './started.js';

const RELAY = `ws://${RELAY_ADDRESS}:7777`;
const PUBLIC_PORT = '9443';
/** An exit tries to connect for 3 s, and an entry waits for 5 s; then the request itself. */
const MOST_SECONDS = '8';

/** Asks the exit's host for a page; where that answers at all, it says that nothing listens there. */
const KNOCK = ['curl', '-q', '-sS', '--connect-timeout', '1', `http://${EXIT_ADDRESS}:8080/`];

describe('between two hosts', function () {
  this.timeout(60_000);
  let folder: string;
  let lab: Lab;
  let proxy: Started;
  let url: string;
  let curl: string[];

  before(function () {
    const reason = obstacle();
    if (reason === undefined) return;
    console.log(`    skipped: no network namespaces here (${reason})`);
    // Only root may make namespaces, and only on Linux: elsewhere there is nothing to test on.
    this.skip();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nws-lab-'));
    lab = new Lab('a');
    await Promise.all([
      lab.program('router', folder, 'test/namespaces/relay.ts').ready(),
      lab.program('exit', folder, 'test/namespaces/site.ts').ready(),
    ]);
    const exit = ['exit', '--target', 'http://127.0.0.1:8080', '--relay', RELAY, '--json'];
    const { domain } = await lab.program('exit', folder, 'src/main.ts', ...exit).ready();
    url = `https://${domain}/`;
  });
  afterEach(async () => {
    lab?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function startProxy(...argv: string[]): Promise<void> {
    const flags = ['proxy', '--listen', '127.0.0.1:0', '--json', ...argv];
    proxy = lab.program('entry', folder, 'src/main.ts', ...flags);
    const { listen, ca } = await proxy.ready();
    curl = ['curl', '-q', '-sS', '--max-time', MOST_SECONDS, '--proxy', listen!, '--cacert', ca!];
  }

  /** Fetches the page on a new stream. */
  const fetch = (): string => lab.run('entry', ...curl, url);
  const ways = (): unknown[] => proxy.logged('stream ended').map(({ way }) => way);

  async function waysOf(requests: number): Promise<unknown[]> {
    for (let request = 0; request < requests; request += 1)
      expect(fetch()).to.equal('from behind\n');
    await until(() => ways().length === requests);
    return ways();
  }

  const PUBLIC = ['--public-address', `${ENTRY_ADDRESS}:${PUBLIC_PORT}`];

  it('the exit connects to an entry that it reaches', async () => {
    lab.forward(true);
    await startProxy(...PUBLIC);
    expect(await waysOf(3)).to.deep.equal(['reverse', 'reverse', 'reverse']);
  });

  it('the exit connects to an entry from which nobody reaches it', async () => {
    lab.forward(true);
    expect(() => lab.run('entry', ...KNOCK)).to.throw(/curl: \(7\)/);
    lab.hideExit(PUBLIC_PORT);
    expect(() => lab.run('entry', ...KNOCK)).to.throw(/curl: \(28\)/);
    await startProxy(...PUBLIC);
    expect(await waysOf(3)).to.deep.equal(['reverse', 'reverse', 'reverse']);
  });

  it('streams stay on the relay where the way to the entry drops everything', async () => {
    lab.forward(false);
    await startProxy(...PUBLIC);
    expect(await waysOf(3)).to.deep.equal(['relay', 'relay', 'relay']);
    expect(proxy.logged('the exit can not connect back to us')).to.have.length(1);
  });

  it('streams stay on the relay where there is no way to the entry', async () => {
    lab.forward(true);
    lab.cutOff();
    await startProxy(...PUBLIC);
    expect(await waysOf(3)).to.deep.equal(['relay', 'relay', 'relay']);
    expect(proxy.logged('the exit can not connect back to us')).to.have.length(1);
  });

  it('streams stay on the relay where the port is another one', async () => {
    lab.forward(true);
    await startProxy(...PUBLIC, '--reverse-listen', '0.0.0.0:9444');
    expect(await waysOf(2)).to.deep.equal(['relay', 'relay']);
  });

  it('nobody is asked to connect to an entry that has no public address', async () => {
    lab.forward(true);
    await startProxy();
    expect(await waysOf(2)).to.deep.equal(['relay', 'relay']);
    expect(proxy.logged('the exit can not connect back to us')).to.deep.equal([]);
  });
});
