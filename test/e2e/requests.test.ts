// curl through entry, relay and exit to a web server: pages, bulk both ways, streaming, many at once.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { until } from '../support/until.js';
import { digest, generated } from './support/bytes.js';
import { Site } from './support/site.js';
import { outputOf } from './support/tools.js';
import { World } from './support/world.js';

const MB = 1_000_000;

describe('a web server through the tunnel', function () {
  this.timeout(180_000);
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

  it('is reached by https, verified and without --insecure', async () => {
    const result = await world.curl(world.https('/page?a=b'));
    expect(result).to.deep.equal({ status: 0, stdout: 'GET /page?a=b\n', stderr: '' });
  });

  it('is reached by http', async () => {
    const result = await world.curl(world.http('/page'));
    expect(result).to.deep.equal({ status: 0, stdout: 'GET /page\n', stderr: '' });
  });

  it('is refused by a client that does not trust the local CA', async () => {
    const { status } = await world.curl('--cacert', '/etc/hostname', world.https('/'));
    expect(status).to.be.oneOf([60, 77]); // not verified; or no certificate in that file
  });

  it('answers HEAD, 204 and 404 as they are', async () => {
    const head = await world.curl('-I', world.https('/page'));
    expect(head.stdout).to.match(/HTTP\/1\.1 200 OK\r\n(?!.*proxy-status)/is);
    const missing = await world.curl('-w', '%{http_code}', world.https('/missing'));
    expect(missing.stdout).to.equal('not here\n404');
    site.once('request', (_req, res) => void res.writeHead(204).end());
    const empty = await world.curl('-w', '%{http_code}', world.https('/held/'));
    expect(empty.stdout).to.equal('204');
  });

  it('serves a download of 100 MB as it is', async () => {
    const got = await world.transfer(world.https(`/bytes/${100 * MB}`));
    const expected = await digest(generated(100 * MB));
    expect(got).to.deep.equal({ ...expected, status: 0, stderr: '' });
  });

  it('takes an upload of 100 MB as it is', async () => {
    const child = world.startCurl('-T', '-', world.https('/digest'));
    generated(100 * MB).pipe(child.stdin);
    const { status, stdout } = await outputOf(child);
    expect(status).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal(await digest(generated(100 * MB)));
  });

  it('serves twenty downloads at once, each its own bytes', async () => {
    const sizes = Array.from({ length: 20 }, (_, index) => 500_000 + 10_007 * index);
    const got = await Promise.all(
      sizes.map((size) => world.transfer(world.https(`/bytes/${size}`))),
    );
    for (const [index, size] of sizes.entries()) {
      expect(got[index]).to.include({ status: 0, ...(await digest(generated(size))) });
    }
  });

  it('streams events as they are written', async () => {
    const asked = once(site, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const child = world.startCurl('-N', world.https('/held/events'));
    const [, res] = await asked;
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    let seen = '';
    child.stdout.on('data', (data) => {
      seen += data;
    });
    // Each is written only when the client has shown the one before.
    for (const event of ['one', 'two', 'three']) {
      res.write(`data: ${event}\n\n`);
      await until(() => seen.endsWith(`data: ${event}\n\n`));
    }
    res.end();
    expect(await once(child, 'close')).to.deep.equal([0, null]);
    expect(seen).to.equal('data: one\n\ndata: two\n\ndata: three\n\n');
  });

  it('streams an upload as it is written', async () => {
    const asked = once(site, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const child = world.startCurl('-N', '-T', '-', world.https('/held/upload'));
    child.stdin.write('first');
    const [req, res] = await asked;
    expect(String((await once(req, 'data'))[0])).to.equal('first');
    child.stdin.end('last');
    expect(String((await once(req, 'data'))[0])).to.equal('last');
    res.end();
    expect(await once(child, 'close')).to.deep.equal([0, null]);
  });
});
