// An exit that serves another certificate than its key has signed for: curl gets a 502 that says so, inside TLS
// of the local CA, and the exit never sees a byte of the request.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import type { ExitCertificate } from '../../src/tls/certificate.js';
import type { CurlResult } from '../proxy/curl.js';
import { CarelessRelay } from './support/careless-relay.js';
import { newCertificate, nowS, RogueExit } from './support/rogue-exit.js';
import { World } from './support/world.js';

const SECRET = 'password=secret';

describe('an exit whose certificate is wrong', function () {
  this.timeout(60_000);
  let world: World;
  let exit: RogueExit;
  let served: ExitCertificate;
  let other: ExitCertificate;

  beforeEach(async () => {
    world = await World.start();
    served = await newCertificate(join(world.home, 'served'));
    other = await newCertificate(join(world.home, 'other'));
    exit = await RogueExit.start([world.relayUrl], served);
  });
  afterEach(async () => {
    await exit.close();
    await world.close();
  });

  /** A request with something to steal. */
  const login = (relay = world.relayUrl): Promise<CurlResult> =>
    world.curl('-i', '-d', SECRET, `https://${exit.hostAt(relay)}/login`);

  async function expectRefusal(reason: RegExp, result: Promise<CurlResult>): Promise<void> {
    const { status, stdout, stderr } = await result;
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const [, head = '', body = ''] = stdout.split('\r\n\r\n');
    expect(head).to.match(/^HTTP\/1\.1 502 /);
    expect(head).to.match(/^proxy-status: nws; error=tls_certificate_error; details="/im);
    expect(body)
      .to.match(reason)
      .and.to.match(/^nws: .+ \(.+\)\n$/); // what is wrong, and a hint
    expect(exit.seen).to.equal('');
    await world.quiet();
  }

  it('is served by curl where nothing is wrong', async () => {
    await exit.publish(served);
    expect((await login()).stdout).to.match(/rogue\n$/);
    expect(exit.seen).to.include(SECRET);
  });

  it('is refused when it serves another certificate than it has published', async () => {
    await exit.publish(other);
    const names = new RegExp(`${served.fingerprint}, but .* ${other.fingerprint}`);
    await expectRefusal(names, login());
    expect(exit.connections).to.be.above(0);
  });

  it('is refused before 200 where TLS passes through the proxy', async () => {
    await world.proxy.close(0);
    await world.startProxy({ tls: 'passthrough' });
    await exit.publish(other);
    const { status, stdout } = await login();
    expect(status).to.equal(56); // CONNECT failed
    expect(stdout).to.match(/^HTTP\/1\.1 502 .*error=tls_certificate_error.*the exit serves/is);
    expect(exit.seen).to.equal('');
  });

  it('that publishes none is not blocked by what somebody else signs: the client’s own trust decides', async () => {
    await exit.publish(other, { signer: createSigner(generateSecretKey()) });
    expect(await login()).to.include({ status: 60 }); // curl knows no such certificate
    expect(exit.seen).to.equal('');
    const ca = join(world.home, 'exit.pem');
    await writeFile(ca, served.cert);
    const host = exit.hostAt(world.relayUrl);
    const known = ['--cacert', ca, '--connect-to', `any.nostr:443:${host}:443`];
    expect((await world.curl(...known, '-d', SECRET, 'https://any.nostr/')).stdout).to.equal(
      'rogue\n',
    );
  });

  it('is believed by its own event, whatever somebody else has signed for it', async () => {
    await exit.publish(other, {
      signer: createSigner(generateSecretKey()),
      createdAt: nowS() + 60,
    });
    await exit.publish(served);
    expect((await login()).stdout).to.match(/rogue\n$/);
  });

  it('is as if it had published none where a relay hands out a forged event', async () => {
    const careless = await CarelessRelay.start();
    const rogue = await RogueExit.start([careless.url], served);
    const event = await exit.publish(served);
    careless.store({ ...event, pubkey: rogue.pubkey });
    const url = `https://${rogue.hostAt(careless.url)}/`;
    expect(await world.curl('-i', '-d', SECRET, url)).to.include({ status: 60 });
    expect(rogue.seen).to.equal('');
    await rogue.close();
    await careless.close();
  });

  it('is not believed with an older event after a newer one, over restarts and other relays', async () => {
    await exit.publish(served);
    expect((await login()).status).to.equal(0);
    await exit.close();
    await world.proxy.close(0);
    await world.startProxy();
    // Another relay knows the older event only, and an exit there serves what that names.
    const stale = await MemoryRelay.start();
    const { signer } = exit;
    exit = await RogueExit.start([stale.url], other, signer);
    await exit.publish(other, { createdAt: nowS() - 1_000 });
    const names = new RegExp(`${other.fingerprint}, but .* ${served.fingerprint}`);
    await expectRefusal(names, login(stale.url));
    expect(exit.connections).to.be.above(0);
    await stale.close();
  });

  it('is believed again when it publishes what it serves', async () => {
    await exit.publish(other, { createdAt: nowS() - 10 });
    await expectRefusal(/the exit serves certificate/, login());
    await exit.publish(served);
    expect((await login()).stdout).to.match(/rogue\n$/);
  });
});
