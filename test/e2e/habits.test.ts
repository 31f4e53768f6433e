// The whole way over relays with the habits of strfry, nostr-rs-relay, khatru and of a strict one: pages, transfers both
// ways, many at once, and an exit that starts again.

import { expect } from 'chai';
import { PRESETS } from '../../src/relay/embedded/presets.js';
import { FOREIGN_URL } from '../support/test-relay.js';
import { digest, generated } from './support/bytes.js';
import { Site } from './support/site.js';
import { outputOf } from './support/tools.js';
import { World } from './support/world.js';

const MB = 1_000_000;
/** The plain one is under all other tests; a relay of somebody else has its own habits. */
const HABITS = Object.entries(PRESETS).filter(([name]) => name !== 'plain');
const WORLDS = FOREIGN_URL === undefined ? HABITS : ([['that one', {}]] as const);

for (const [name, behaviour] of WORLDS) {
  describe(`the tunnel over a relay like ${name}`, function () {
    this.timeout(60_000);
    let site: Site;
    let world: World;

    before(async () => {
      site = await Site.start();
      world = await World.start({ target: site.url, behaviour });
    });
    after(async () => {
      await world.close();
      await site.close();
    });

    it('serves a page', async () => {
      expect((await world.curl(world.https('/page'))).stdout).to.equal('GET /page\n');
    });

    it('serves a download of 4 MB as it is', async () => {
      const got = await world.transfer(world.https(`/bytes/${4 * MB}`));
      expect(got).to.deep.equal({ ...(await digest(generated(4 * MB))), status: 0, stderr: '' });
    });

    it('takes an upload of 4 MB as it is', async () => {
      const child = world.startCurl('-T', '-', world.https('/digest'));
      generated(4 * MB).pipe(child.stdin);
      const { status, stdout } = await outputOf(child);
      expect(status).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.equal(await digest(generated(4 * MB)));
    });

    it('serves ten downloads at once, each its own bytes', async () => {
      const sizes = Array.from({ length: 10 }, (_, index) => 200_000 + 10_007 * index);
      const got = await Promise.all(
        sizes.map((size) => world.transfer(world.https(`/bytes/${size}`))),
      );
      for (const [index, size] of sizes.entries()) {
        expect(got[index]).to.include({ status: 0, ...(await digest(generated(size))) });
      }
    });

    it('opens nothing from what it replays to an exit that has started again', async () => {
      const before = site.requests.length;
      await world.exit.close(0);
      await world.startExit(site.url);
      expect((await world.curl(world.https('/after'))).stdout).to.equal('GET /after\n');
      expect(site.requests.slice(before)).to.deep.equal(['GET /after']);
    });
  });
}
