// Which protocol a client gets through the proxy: the one that the exit chooses of the client's own list, also from
// exits that know less than we do.

import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createServer, type Server } from 'node:https';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { ExitCertificate } from '../../../src/tls/certificate.js';
import { readAll } from '../../support/read-all.js';
import { listen, type Running } from '../../support/servers.js';
import { FakeExit, TestEntry } from '../fixture.js';

/** A value of RFC 8701, as Chromium sends them so that nobody gets used to a list. */
const GREASE = '\x0a\x0a';

describe('proxy: ALPN through an exit', () => {
  let entry: TestEntry;
  let exit: FakeExit;
  let certificate: ExitCertificate;
  let site: Running<Server> | undefined;

  before(async () => {
    entry = await TestEntry.start();
    exit = new FakeExit();
    certificate = await entry.certificateFor(exit);
    entry.events = [exit.publish(certificate)];
  });
  after(() => entry.close());
  afterEach(() => site?.close());

  /** An exit that knows these protocols, and answers in HTTP/1.1. */
  async function serve(alpn: string[]): Promise<void> {
    site = await listen(
      createServer({ ...certificate, ALPNProtocols: alpn }, (_req, res) => res.end('hello')),
    );
    entry.port = site.port;
  }

  async function secure(alpn: string[]): Promise<TLSSocket> {
    const socket = await entry.tunnelled(exit.host);
    const ca = entry.authority.pem;
    const tls = connectTls({ socket, servername: exit.host, ca, ALPNProtocols: alpn });
    await once(
      tls.on('error', () => undefined),
      'secureConnect',
    );
    return tls;
  }

  const OLD = ['http/1.1'];
  for (const [offered, known, chosen] of [
    [['h2', 'http/1.1'], OLD, 'http/1.1'],
    [[GREASE, 'h2', 'http/1.1'], OLD, 'http/1.1'],
    [['http/1.1', 'h2'], OLD, 'http/1.1'],
    [['http/1.1'], OLD, 'http/1.1'],
    [['http/1.0'], OLD, 'http/1.0'],
    [['h3', 'h2', 'http/1.1', 'http/1.0'], OLD, 'http/1.1'],
  ] as const) {
    const list = offered.join(', ').replace(GREASE, 'GREASE');
    it(`of ${list} is ${chosen} where the exit knows HTTP/1.1 alone`, async () => {
      await serve([...known]);
      const tls = await secure([...offered]);
      expect(tls.alpnProtocol).to.equal(chosen);
      tls.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      expect(String(await readAll(tls))).to.match(/^HTTP\/1\.1 200 OK\r\n[\s\S]*hello/);
      tls.destroy();
    });
  }

  it('is none where the exit has none, and HTTP/1.1 works', async () => {
    const bare = await listen(
      createTlsServer(certificate, (socket) => {
        socket
          .on('error', () => undefined)
          .once('data', () => {
            socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello');
          });
      }),
    );
    entry.port = bare.port;
    const tls = await secure([GREASE, 'h2', 'http/1.1']);
    expect(tls.alpnProtocol).to.equal(false);
    tls.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String(await readAll(tls))).to.match(/hello$/);
    tls.destroy();
    await bare.close();
  });

  it('is h2 for a client of that alone, which is told why the exit does not serve it', async () => {
    await serve(OLD);
    const tls = await secure(['h2']);
    expect(tls.alpnProtocol).to.equal('h2');
    const session = connectHttp2(`https://${exit.host}`, { createConnection: () => tls });
    const stream = session.request({ ':path': '/' });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).to.equal(502);
    expect(String(await readAll(stream))).to.match(/^nws: .*HTTP\/1\.1/);
    session.destroy();
  });
});
