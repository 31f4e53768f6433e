// https to an exit of the Go program, whose certificates expire at birth: the pin alone decides, and curl needs no -k.

import { expect } from 'chai';
import type { CurlResult } from '../proxy/curl.js';
import { GoExit } from './go/exit.js';
import { type BornExpired, bornExpired } from './ground/born-expired.js';
import { Ground } from './ground/ground.js';

describe('https through an exit of the Go program', function () {
  this.timeout(30_000);
  const [certificate, other] = ['exit.nostr', 'other.nostr'].map(bornExpired) as [
    BornExpired,
    BornExpired,
  ];
  let ground: Ground;

  beforeEach(async () => {
    ground = await Ground.start();
  });
  afterEach(() => ground.close());

  async function login(serve: BornExpired, publish: BornExpired): Promise<CurlResult> {
    const { urls: relays, backend, world } = ground;
    const exit = ground.later(await GoExit.start({ relays, backend, serve, publish }));
    const secret = ['-d', 'password=secret'];
    return world.curl('-i', '--suppress-connect-headers', ...secret, `https://${exit.name}/login`);
  }

  it('works with the certificate that its key signed for', async () => {
    const { status, stdout, stderr } = await login(certificate, certificate);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    expect(stdout).to.match(/^HTTP\/1\.1 200 /);
    expect(stdout).to.match(/\r\n\r\nPOST \/login\n$/);
  });

  it('is refused with another one, before a byte of the request has left', async () => {
    const { status, stdout, stderr } = await login(certificate, other);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    expect(stdout).to.match(/^HTTP\/1\.1 502 /);
    expect(ground.site.requests).to.deep.equal([]);
  });
});
