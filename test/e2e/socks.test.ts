// SOCKS5 all the way through a relay, with curl: pages by https and http, large ones, and failures.

import { expect } from 'chai';
import { curl } from '../proxy/curl.js';
import { digest, generated } from './support/bytes.js';
import { Site } from './support/site.js';
import { transfer } from './support/tools.js';
import { World } from './support/world.js';

describe('SOCKS5 through the tunnel', function () {
  this.timeout(60_000);
  let site: Site;
  let world: World;

  before(async () => {
    site = await Site.start();
    world = await World.start({ target: site.url });
  });
  after(async () => {
    await world.close();
    await site.close();
  });

  const options = (): string[] => {
    const { host } = new URL(world.proxy.url);
    return ['--proxy', `socks5h://${host}`, '--cacert', world.proxy.caPath, '--http1.1'];
  };

  it('carries pages by https and by http', async () => {
    for (const url of [world.https('/page'), world.http('/page')]) {
      const { stdout } = await curl(...options(), '-i', url);
      expect(stdout).to.match(/^HTTP\/1\.1 200 .*GET \/page\n$/s);
    }
    await world.quiet();
  });

  it('carries large answers whole', async () => {
    const got = await transfer(...options(), world.https('/bytes/3000000'));
    expect(got.status, got.stderr).to.equal(0);
    expect(got.sha256).to.equal((await digest(generated(3_000_000))).sha256);
  });

  it('tells curl in a reply of a name that is none', async () => {
    const bad = await curl(...options(), 'https://nonsense.nostr/');
    expect(bad.status).to.be.oneOf([7, 97]);
    expect(bad.stderr).to.match(/\(4\)|unreachable/);
  });
});
