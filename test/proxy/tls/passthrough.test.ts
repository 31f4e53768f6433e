// `--tls passthrough`: checked by the proxy before 200, and then untouched.

import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { expect } from 'chai';
import { NwsError } from '../../../src/errors.js';
import type { ExitCertificate } from '../../../src/tls/certificate.js';
import { readAll } from '../../support/read-all.js';
import { listen, listenTcp, type Running } from '../../support/servers.js';
import { curl } from '../curl.js';
import { FakeExit, settled, TestEntry } from '../fixture.js';

describe('proxy: CONNECT to .nostr, passing TLS through', () => {
  let entry: TestEntry;
  let exit: FakeExit;
  let certificate: ExitCertificate;
  let site: Running<Server>;

  beforeEach(async () => {
    entry = await TestEntry.start({ tls: 'passthrough' });
    exit = new FakeExit();
    certificate = await entry.certificateFor(exit);
    site = await listen(createServer(certificate, (_req, res) => res.end('hello')));
    entry.port = site.port;
    entry.events = [exit.publish(certificate)];
  });

  afterEach(async () => {
    await entry.close();
    await site.close();
  });

  it("lets the client verify the exit's own certificate", async () => {
    const trusted = join(entry.home, 'exit.pem');
    writeFileSync(trusted, certificate.cert);
    const fetched = () => curl('--proxy', entry.url, '--cacert', trusted, `https://${exit.host}/`);
    expect((await fetched()).stdout).to.equal('hello');
    expect(entry.opened).to.have.length(2); // one of them to check
    expect((await fetched()).stdout).to.equal('hello');
    expect(entry.opened).to.have.length(3); // checked a moment ago
    await settled(() => entry.listener.connections + entry.streams.size + site.sockets.size);
  });

  it('answers CONNECT with 502 when the exit serves another certificate', async () => {
    entry.events = [exit.publish(await entry.certificateFor(exit, 'other'))];
    expect(await refusalOf(exit.host)).to.match(
      /^HTTP\/1\.1 502 .*error=tls_certificate_error.*the exit serves certificate/is,
    );
    await settled(() => entry.listener.connections + entry.streams.size + site.sockets.size);
  });

  it('answers CONNECT with what went wrong when there is no stream', async () => {
    entry.failure = new NwsError('exit_unreachable', 'nobody answers');
    expect(await refusalOf(exit.host)).to.match(/^HTTP\/1\.1 504 .*nws: nobody answers\n$/s);
    expect(await refusalOf('nonsense.nostr')).to.match(/^HTTP\/1\.1 400 /);
  });

  it('passes an exit without a certificate, unless settings require one', async () => {
    const echo = await listenTcp((socket) => socket.pipe(socket));
    entry.port = echo.port;
    entry.events = [];
    const socket = await entry.tunnelled(exit.host, 22);
    socket.end('SSH-2.0-test');
    expect(String(await readAll(socket))).to.equal('SSH-2.0-test');
    await entry.close();
    entry = await TestEntry.start({ tls: 'passthrough', requirePin: true, port: echo.port });
    expect(await refusalOf(exit.host)).to.match(/^HTTP\/1\.1 502 .*publishes no certificate/s);
    await settled(() => entry.streams.size + echo.sockets.size);
    await echo.close();
  });

  it('gives up everything when the client resets while it waits', async () => {
    let open = (): void => undefined;
    entry.gate = new Promise((resolve) => {
      open = resolve;
    });
    const socket = await entry.dial();
    socket.write(`CONNECT ${exit.host}:443 HTTP/1.1\r\n\r\n`);
    await settled(() => (entry.opened.length < 2 ? 1 : 0));
    socket.resetAndDestroy();
    await settled(() => entry.listener.connections);
    open();
    await settled(() => entry.streams.size + site.sockets.size);
  });

  async function refusalOf(host: string): Promise<string> {
    const socket = await entry.dial();
    socket.write(`CONNECT ${host}:443 HTTP/1.1\r\n\r\n`);
    const answer = String(await readAll(socket));
    socket.end();
    return answer;
  }
});
