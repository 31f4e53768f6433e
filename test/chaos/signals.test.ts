// Processes that are told to end, or stand still for a while, in the middle of a transfer.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { Site } from '../e2e/support/site.js';
import { outputOf } from '../e2e/support/tools.js';
import { Processes } from './support/processes.js';
import { download, whole } from './support/transfers.js';

const BYTES = 4_000_000;
/** Longer than what the programs take for a busy moment. */
const STANDSTILL_MS = 11_000;

describe('a process that is told', function () {
  this.timeout(60_000);
  let site: Site;
  let processes: Processes;

  before(async () => {
    site = await Site.start();
    processes = await Processes.create();
    await processes.serve(site.url, await processes.anyRelay('--delay', '300'));
  });
  after(async () => {
    await processes.close();
    await site.close();
  });

  it('to stand still: a transfer goes on when the proxy does', async () => {
    const transfer = download(processes, BYTES);
    await transfer.meter.reached(BYTES / 4);
    processes.proxy.signal('SIGSTOP');
    // Nothing happens while it stands still: that is what is tested.
    await new Promise((resolve) => setTimeout(resolve, STANDSTILL_MS));
    processes.proxy.signal('SIGCONT');
    expect(await transfer.outcome).to.deep.equal(await whole(BYTES));
  });

  for (const role of ['proxy', 'exit'] as const) {
    it(`to end: the ${role} takes nothing new, finishes what it has begun, and leaves with 0`, async () => {
      const asked = once(site, 'request') as Promise<[IncomingMessage, ServerResponse]>;
      const child = processes.curl('-N', processes.url('/held/'));
      const [, response] = await asked;
      response.write('begun, ');
      await once(child.stdout, 'readable');
      const ended = processes[role].end('SIGTERM');
      while (await isServed());
      response.end('finished');
      expect(await text(child.stdout)).to.equal('begun, finished');
      expect(await ended).to.equal(0);
      if (role === 'proxy') await processes.proxyAgain();
    });
  }

  /** Whether a new request is answered: not where the proxy's port is closed, or the exit says no. */
  async function isServed(): Promise<boolean> {
    const { status } = await outputOf(processes.curl('-f', processes.url('/')));
    return status === 0;
  }
});
