// Relays, exits and entries that are killed in the middle of a transfer: it goes on, or ends with an error soon.

import { expect } from 'chai';
import { Site } from '../e2e/support/site.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { Processes } from './support/processes.js';
import { download, upload, whole } from './support/transfers.js';

const MB = 1_000_000;
const BYTES = 4 * MB;
/** Slow enough that a transfer is still going on when something is done to it. */
const SLOW = ['--delay', '200'];
/** How long the only relay is away. */
const OUTAGE_MS = 10_000;

describe('when a process is killed in mid-transfer', function () {
  this.timeout(90_000);
  let site: Site;
  let processes: Processes;

  beforeEach(async () => {
    site = await Site.start();
    processes = await Processes.create();
  });
  afterEach(async () => {
    await processes.close();
    await site.close();
  });

  onEmbeddedRelay(() => {
    it('one relay after the other: transfers go on over the one that is left', async () => {
      const relays = await Promise.all([processes.relay(...SLOW), processes.relay(...SLOW)]);
      await processes.serve(site.url, ...relays.map(({ ready }) => ready.url!));
      const transfers = [download(processes, BYTES), upload(processes, BYTES)];
      for (const [index, relay] of relays.entries()) {
        await Promise.all(transfers.map(({ meter }) => meter.reached(((index + 1) * BYTES) / 4)));
        await relay.end('SIGKILL');
        await processes.relayAgain(relay, ...SLOW);
      }
      for (const { outcome } of transfers) expect(await outcome).to.deep.equal(await whole(BYTES));
    });

    it('the only relay, which is back 10 s later: transfers go on', async () => {
      const relay = await processes.relay(...SLOW);
      await processes.serve(site.url, relay.ready.url!);
      const transfers = [download(processes, BYTES), upload(processes, BYTES)];
      await Promise.all(transfers.map(({ meter }) => meter.reached(BYTES / 4)));
      await relay.end('SIGKILL');
      // No event tells that time has passed: the length of the outage is what is tested.
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
      await processes.relayAgain(relay, ...SLOW);
      for (const { outcome } of transfers) expect(await outcome).to.deep.equal(await whole(BYTES));
    });
  });

  const ways = {
    'over the relay': { bytes: BYTES, serve: 'serve' },
    'over a connection of the exit': { bytes: 100 * BYTES, serve: 'serveReachable' },
  } as const;
  for (const [way, { bytes, serve }] of Object.entries(ways)) {
    it(`the entry, then the exit: there is an error, and others are served, ${way}`, async () => {
      await processes[serve](site.url, await processes.anyRelay(...SLOW));
      const orphan = download(processes, bytes);
      await orphan.meter.reached(bytes / 4);
      await processes.proxy.end('SIGKILL');
      expect((await orphan.outcome).status).to.not.equal(0);
      await processes.proxyAgain();
      const broken = download(processes, bytes);
      await broken.meter.reached(bytes / 4);
      await processes.exit.end('SIGKILL');
      await processes.exitAgain();
      const backAt = performance.now();
      const got = await broken.outcome;
      expect(performance.now() - backAt).to.be.below(5_000);
      expect(got.status).to.be.oneOf([18, 56]); // a body cut short, or a connection reset
      expect(got.bytes).to.be.below(bytes);
      expect(await download(processes, MB).outcome).to.deep.equal(await whole(MB));
    });
  }
});
