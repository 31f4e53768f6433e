// Bulk both ways over a relay that loses, repeats, reorders, delays and hangs up, between real processes.

import { expect } from 'chai';
import { Site } from '../e2e/support/site.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { Processes } from './support/processes.js';
import {
  download,
  memoryDuring,
  TRANSFER_BYTES,
  type Transfer,
  upload,
  whole,
} from './support/transfers.js';

const MB = 1_000_000;
const BAD_RELAY = ['--loss', '0.05', '--duplicate', '0.05', '--reorder', '--delay', '100'];
const DISCONNECTS = ['--disconnect-every', '3000'];
const SEED = process.env.NWS_SEED ?? '1';
/** What memory may differ by between two moments of one transfer without anything being wrong. */
const NOISE_BYTES = 80 * MB;

onEmbeddedRelay(() => {
  describe(`over a relay with every fault, ${TRANSFER_BYTES / MB} MB (seed ${SEED})`, function () {
    this.timeout(60_000 + TRANSFER_BYTES / 200);
    let site: Site;
    let processes: Processes;

    before(async () => {
      site = await Site.start();
      processes = await Processes.create();
      const { ready } = await processes.relay(...BAD_RELAY, ...DISCONNECTS, '--seed', SEED);
      await processes.serve(site.url, ready.url!);
    });
    after(async () => {
      await processes.close();
      await site.close();
    });

    async function holds(transfer: Transfer): Promise<void> {
      const { exit, proxy } = processes;
      const startedAt = performance.now();
      const memory = memoryDuring(transfer, TRANSFER_BYTES, [exit, proxy]);
      expect(await transfer.outcome).to.deep.equal(await whole(TRANSFER_BYTES));
      const seconds = (performance.now() - startedAt) / 1_000;
      for (const [index, { tenth, half, end }] of (await memory).entries()) {
        const told = `${['exit', 'proxy'][index]}: ${[tenth, half, end].map((bytes) => Math.round(bytes / MB)).join(', ')} MB at 10, 50 and 100 %`;
        if (TRANSFER_BYTES >= 100 * MB) console.log(`      ${told}, ${seconds.toFixed(1)} s`);
        expect(end, told).to.be.below(tenth + NOISE_BYTES);
      }
    }

    it('downloads every byte in order, and memory does not grow', () =>
      holds(download(processes, TRANSFER_BYTES)));

    it('uploads every byte in order, and memory does not grow', () =>
      holds(upload(processes, TRANSFER_BYTES)));
  });
});
