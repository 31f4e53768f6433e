// Connections in advance: who gets them, and what becomes of those that nobody gets.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { mock } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { ExitCertificate } from '../../../src/tls/certificate.js';
import { readAll } from '../../support/read-all.js';
import { listen, type Running } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { curl } from '../curl.js';
import { FakeExit, settled, TestEntry } from '../fixture.js';
import { Path } from './path.js';

describe('proxy: connections in advance', () => {
  let exit: FakeExit;
  let entry: TestEntry;
  let certificate: ExitCertificate;
  let site: Running<Server>;
  /** Whether each connection of the site resumed a TLS session. */
  let resumed: boolean[];
  beforeEach(async () => {
    exit = new FakeExit();
    entry = await TestEntry.start({ preconnect: true });
    certificate = await entry.certificateFor(exit);
    entry.events = [exit.publish(certificate)];
    resumed = [];
    await serve(certificate);
  });
  afterEach(async () => {
    await entry.close();
    await site.close();
    await settled(() => entry.streams.size);
  });

  async function serve({ cert, key }: ExitCertificate): Promise<void> {
    const server = createHttpsServer({ cert, key }, (_req, res) => res.end('hello'));
    server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
    site = await listen(server);
    entry.port = site.port;
  }

  async function client(alpn = ['http/1.1']): Promise<TLSSocket> {
    const socket = await entry.tunnelled(exit.host);
    const { pem: ca } = entry.authority;
    const secure = connectTls({ socket, ca, servername: exit.host, ALPNProtocols: alpn });
    secure.on('error', () => undefined);
    await once(secure, 'secureConnect');
    return secure;
  }

  async function ask(alpn?: string[]): Promise<string> {
    const socket = await client(alpn);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const answer = (await readAll(socket)).toString();
    socket.destroy();
    return answer;
  }

  /** Body and status, by a curl of its own. */
  async function fetched(...args: string[]): Promise<string> {
    const ca = ['--cacert', entry.authority.path, '--proxy', entry.url];
    const url = `https://${exit.host}/`;
    return (await curl(...ca, '-w', ' %{http_code}', ...args, url)).stdout;
  }

  async function asAbsolute(method: string): Promise<string> {
    const to = { host: '127.0.0.1', port: entry.proxyPort, path: `https://${exit.host}/`, method };
    const outgoing = request({ ...to, headers: { Host: exit.host, Connection: 'close' } }).end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return (await readAll(answer)).toString();
  }

  const ready = (): Promise<void> => until(() => entry.spares!.size === 1);

  it('serve the next client without a stream of its own, and the one after', async () => {
    expect(await ask()).to.match(/^HTTP\/1.1 200 .*hello$/s);
    for (let round = 1; round <= 3; round += 1) {
      await ready();
      expect(entry.opened.length).to.equal(1 + round);
      expect(await ask()).to.match(/^HTTP\/1.1 200 .*hello$/s);
    }
  });

  it('are made once at a time, however many clients come', async () => {
    await Promise.all(Array.from({ length: 5 }, ask));
    await ready();
    expect(entry.opened.length).to.be.within(6, 10);
    await settled(() => entry.listener.connections);
    expect(entry.streams.size).to.equal(1);
  });

  it('go to clients alone that offer what was offered, and wait for the others meanwhile', async () => {
    await ask();
    await ready();
    expect(await ask(['http/1.0', 'http/1.1'])).to.match(/hello$/);
    expect(entry.opened.length).to.be.at.least(3);
    await until(() => entry.spares!.size === 2); // one for each kind of client
    const before = entry.opened.length;
    expect(await ask()).to.match(/hello$/);
    await until(() => entry.spares!.size === 2);
    expect(entry.opened.length).to.equal(before + 1);
  });

  it('that are on their way are worth waiting for, to one client', async () => {
    await ask();
    await ready();
    let open: () => void = () => undefined;
    entry.gate = new Promise((resolve) => {
      open = resolve;
    });
    expect(await ask()).to.match(/hello$/);
    await until(() => entry.opened.length === 3); // the next one, which waits
    const [second, third] = [ask(), ask()];
    await until(() => entry.opened.length === 4); // for one of them
    open();
    expect(await second).to.match(/hello$/);
    expect(await third).to.match(/hello$/);
    await ready();
    expect(entry.opened.length).to.equal(5);
  });

  it('give the greeting of an HTTP/2 server to their client', async () => {
    await site.close();
    const { cert, key } = certificate;
    const server = createSecureServer({ cert, key });
    server.on('stream', (stream) => {
      stream.respond();
      stream.end('hello');
    });
    site = (await listen(server as unknown as Server)) as Running<Server>;
    entry.port = site.port;
    for (let round = 0; round < 2; round += 1) {
      const socket = await client(['h2']);
      const [greeting] = (await once(socket, 'data')) as [Buffer];
      expect(greeting[3]).to.equal(4); // SETTINGS
      socket.destroy();
      await ready();
      expect(entry.opened.length).to.equal(2 + round);
    }
  });

  it('that the exit has ended are not given to anyone', async () => {
    await ask();
    await ready();
    for (const socket of site.sockets) socket.destroy();
    await settled(() => entry.spares!.size);
    expect(await ask()).to.match(/hello$/);
  });

  for (const version of ['http1.1', 'http2']) {
    for (const method of ['GET', 'POST']) {
      it(`that turn out to be dead are no failure of a ${method} by ${version}`, async () => {
        await site.close();
        const requests: string[] = [];
        const { cert, key } = certificate;
        const server = createSecureServer({ cert, key, allowHTTP1: true }, (req, res) => {
          requests.push(req.method);
          res.end('hello');
        });
        site = (await listen(server as unknown as Server)) as Running<Server>;
        entry.port = site.port;
        const path = await Path.to(site.port);
        entry.port = path.port;
        expect(await fetched(`--${version}`)).to.equal('hello 200');
        await ready();
        await settled(() => entry.listener.connections);
        const said = path.doom();
        expect(await fetched(`--${version}`, '-X', method)).to.equal('hello 200');
        expect(requests).to.deep.equal(['GET', method]);
        // What may change something doesn't go where it could be lost.
        if (version === 'http1.1') expect(said() > 0).to.equal(method === 'GET');
        await path.close();
      });
    }
  }

  it('are there behind a connection that was long', async () => {
    const socket = await client();
    await ready();
    const [, ...others] = site.sockets;
    for (const other of others) other.destroy();
    await settled(() => entry.spares!.size);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await readAll(socket);
    socket.destroy();
    await ready();
  });

  it('that were of no use to a client are there for the next', async () => {
    await ask();
    await ready();
    expect(await fetched('--http1.1')).to.equal('hello 200');
    await ready();
    const before = entry.opened.length;
    expect(await fetched('--http1.1', '-d', 'x')).to.equal('hello 200');
    await settled(() => entry.listener.connections);
    expect({ spares: entry.spares!.size, opened: entry.opened.length - before }).to.deep.equal({
      spares: 1,
      opened: 1,
    });
  });

  it('age while the machine sleeps', async () => {
    await ask();
    await ready();
    const before = entry.opened.length;
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    try {
      expect(await ask()).to.match(/hello$/);
    } finally {
      mock.timers.reset();
    }
    await until(() => entry.opened.length === before + 2); // its own, and the next in advance
  });

  it('serve requests in absolute form, if they may be made twice', async () => {
    await ask();
    await ready();
    const before = entry.opened.length;
    expect(await asAbsolute('GET')).to.equal('hello');
    await ready();
    expect(entry.opened.length).to.equal(before + 1); // the next in advance
    expect(await asAbsolute('POST')).to.equal('hello');
    expect(entry.opened.length).to.equal(before + 2); // its own
    await settled(() => entry.listener.connections);
  });

  it('are of no use under another pin', async () => {
    await ask();
    await ready();
    const next = await entry.certificateFor(exit, 'next');
    await site.close();
    await serve(next);
    entry.events = [exit.publish(next, Math.floor(Date.now() / 1000) + 5)];
    expect(await ask()).to.match(/hello$/);
  });

  it('leave a client that speaks no TLS its stream', async () => {
    await ask();
    await ready();
    const socket = await entry.tunnelled(exit.host);
    const before = entry.opened.length;
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await readAll(socket); // an https server has nothing to say to that
    expect(entry.opened.length).to.equal(before + 1);
    socket.destroy();
    await settled(() => entry.listener.connections);
  });

  it('leave a server that speaks first its word, to a client that waits for it', async () => {
    await ask();
    await ready();
    const socket = await entry.tunnelled(exit.host);
    const before = entry.opened.length;
    await until(() => entry.opened.length > before); // its stream, though it has said nothing
    socket.destroy();
  });

  it('resume the TLS session of the connection before', async () => {
    for (let round = 0; round < 3; round += 1) {
      await ask();
      await ready();
    }
    expect(resumed[0]).to.equal(false);
    expect(resumed.slice(2)).to.include(true);
  });

  it('end after a minute', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      await ask();
      while (entry.spares!.size === 0) await new Promise(setImmediate);
      mock.timers.tick(59_000);
      expect(entry.spares!.size).to.equal(1);
      mock.timers.tick(1_001);
      while (entry.spares!.size > 0) await new Promise(setImmediate);
    } finally {
      mock.timers.reset();
    }
  });
});
