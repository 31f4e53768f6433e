// Two relays, of which the one in use turns bad in mid-transfer: the other takes over, and the log stays short.

import { expect } from 'chai';
import type { RelayBehaviour } from '../../src/relay/embedded/behaviour.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import { Site } from '../e2e/support/site.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { Processes } from './support/processes.js';
import { download, upload, whole } from './support/transfers.js';

const MB = 1_000_000;
const BYTES = 4 * MB;

const FAULTS: Record<string, Partial<RelayBehaviour>> = {
  'refuses everything': { refuse: 'rate-limited: slow down' },
  'answers nothing': { silent: true },
  'delivers nothing': { loss: 1 },
  'delivers late': { deliveryDelayMs: 1_000 },
};

onEmbeddedRelay(() => {
  describe('two relays, one of which', function () {
    this.timeout(60_000);
    let site: Site;
    let relays: MemoryRelay[];
    let processes: Processes;

    beforeEach(async () => {
      site = await Site.start();
      const behaviour = { deliveryDelayMs: 100 };
      relays = [await MemoryRelay.start({ behaviour }), await MemoryRelay.start({ behaviour })];
      processes = await Processes.create();
      await processes.serve(site.url, ...relays.map(({ url }) => url));
    });
    afterEach(async () => {
      await processes.close();
      for (const relay of relays) await relay.close();
      await site.close();
    });

    for (const [name, fault] of Object.entries(FAULTS)) {
      it(`${name}: transfers go on over the other, and the log has a line a program`, async () => {
        const transfers = [download(processes, BYTES), upload(processes, BYTES)];
        await Promise.all(transfers.map(({ meter }) => meter.reached(BYTES / 4)));
        const [used] = [...relays].sort((a, b) => b.stats.events - a.stats.events);
        Object.assign(used!.behaviour, fault);
        for (const { outcome } of transfers)
          expect(await outcome).to.deep.equal(await whole(BYTES));
        for (const program of [processes.exit, processes.proxy]) {
          expect(
            program.warnings(used!.url).length,
            JSON.stringify(program.warnings('')),
          ).to.be.at.most(1);
        }
      });
    }
  });
});
