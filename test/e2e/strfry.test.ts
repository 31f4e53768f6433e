// Downloads and uploads over a relay that behaves like strfry: late by 100 ms, out of order, replayed, 65,536 bytes an event.

import { expect } from 'chai';
import { strfryBehaviour } from '../../src/relay/embedded/presets.js';
import { digest, generated } from './support/bytes.js';
import { Site } from './support/site.js';
import { outputOf } from './support/tools.js';
import { World } from './support/world.js';

const MB = 1_000_000;

describe('the tunnel over a relay like strfry', function () {
  this.timeout(120_000);
  let site: Site;
  let world: World;

  before(async () => {
    site = await Site.start();
    world = await World.start({ target: site.url, behaviour: strfryBehaviour });
  });
  after(async () => {
    await world.close();
    await site.close();
  });

  it('serves a page', async () => {
    expect((await world.curl(world.https('/page'))).stdout).to.equal('GET /page\n');
  });

  it('serves a download of 10 MB as it is', async () => {
    const got = await world.transfer(world.https(`/bytes/${10 * MB}`));
    expect(got).to.deep.equal({ ...(await digest(generated(10 * MB))), status: 0, stderr: '' });
  });

  it('takes an upload of 10 MB as it is', async () => {
    const child = world.startCurl('-T', '-', world.https('/digest'));
    generated(10 * MB).pipe(child.stdin);
    const { status, stdout } = await outputOf(child);
    expect(status).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal(await digest(generated(10 * MB)));
  });

  it('serves twenty downloads at once, each its own bytes', async () => {
    const sizes = Array.from({ length: 20 }, (_, index) => 300_000 + 10_007 * index);
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
