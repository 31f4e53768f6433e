// Requests in absolute form, with curl and by hand.

import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { expect } from 'chai';
import { NwsError } from '../../../src/errors.js';
import { readAll } from '../../support/read-all.js';
import { listen, listenHttp, type Running } from '../../support/servers.js';
import { curl } from '../curl.js';
import { FakeExit, settled, TestEntry } from '../fixture.js';

describe('proxy: requests in absolute form', () => {
  let entry: TestEntry;
  let exit: FakeExit;
  let site: Running<Server>;
  let seen: IncomingMessage[];

  beforeEach(async () => {
    seen = [];
    site = await listenHttp((req, res) => {
      seen.push(req);
      if (req.method === 'POST') req.pipe(res);
      else res.end('hello');
    });
    entry = await TestEntry.start({ port: site.port });
    exit = new FakeExit();
  });

  afterEach(async () => {
    await entry.close();
    await site.close();
  });

  const fetched = (...args: string[]) => curl('--proxy', entry.url, ...args);

  it('goes through the tunnel to a .nostr host, without what was meant for the proxy', async () => {
    const { stdout } = await fetched(
      '--proxy-user',
      'a:b',
      `http://${exit.host}/a/../b?c`,
      '--path-as-is',
    );
    expect(stdout).to.equal('hello');
    expect(entry.opened).to.deep.equal([`${exit.host}:80`]);
    const [request] = seen;
    expect(request?.url).to.equal('/a/../b?c');
    expect(request?.headers.host).to.equal(exit.host);
    expect(request?.headers).not.to.have.any.keys('proxy-authorization', 'proxy-connection');
    expect(request?.headers.via).to.match(/^1\.1 nws-[0-9a-f]{12}$/);
  });

  it('shows different exits different names of itself', async () => {
    const other = new FakeExit();
    await fetched(`http://${exit.host}/`, `http://${exit.host}/2`, `http://${other.host}/`);
    const [first, again, second] = seen.map((request) => request.headers.via);
    expect(first).to.equal(again);
    expect(first).not.to.equal(second);
  });

  it('uses one stream for requests that follow each other', async () => {
    await fetched(`http://${exit.host}/1`, `http://${exit.host}/2`);
    await fetched(`http://${exit.host}/3`);
    expect(seen).to.have.length(3);
    expect(entry.opened).to.have.length(1);
  });

  it('carries uploads and names longer than DNS allows', async () => {
    const long = new FakeExit('wss://a-relay-with-a-very-long-name.example/and/a/path/behind/it');
    const { stdout } = await fetched('-d', 'x'.repeat(100_000), `http://${long.host}/`);
    expect(stdout).to.have.length(100_000);
  });

  it('says what went wrong', async () => {
    entry.failure = new NwsError('relay_unreachable', 'no relay is reachable (ws://x: down)');
    const { stdout } = await fetched('-i', `http://${exit.host}/`);
    expect(stdout).to.match(/^HTTP\/1\.1 502 .*error=destination_unavailable/s);
    expect(stdout).to.match(/\r\n\r\nnws: no relay is reachable \(ws:\/\/x: down\)\n$/);
    expect((await fetched('-i', 'http://nonsense.nostr/')).stdout).to.match(
      /^HTTP\/1\.1 400 .*nonsense/s,
    );
  });

  it('does the TLS of https:// itself, held against the pin', async () => {
    const certificate = await entry.certificateFor(exit);
    const secure = await listen(createHttpsServer(certificate, (_req, res) => res.end('secure')));
    entry.port = secure.port;
    entry.events = [exit.publish(certificate)];
    const ask = async (host: string): Promise<string> => {
      const socket = await entry.dial();
      socket.write(`GET https://${host}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const answer = String(await readAll(socket));
      socket.end();
      return answer;
    };
    expect(await ask(exit.host)).to.match(/^HTTP\/1\.1 200 .*secure/s);
    const stranger = new FakeExit();
    entry.events = [stranger.publish(await entry.certificateFor(stranger, 'other'))];
    expect(await ask(stranger.host)).to.match(/^HTTP\/1\.1 502 .*the exit serves certificate/s);
    entry.events = [];
    expect(await ask(new FakeExit().host)).to.match(/^HTTP\/1\.1 502 .*publishes no certificate/s);
    await secure.close();
  });

  it('goes directly to other hosts, or is refused by settings', async () => {
    const url = `http://127.0.0.1:${site.port}/`;
    expect((await fetched(url)).stdout).to.equal('hello');
    expect(entry.opened).to.deep.equal([]);
    await entry.close();
    entry = await TestEntry.start({ clearnet: 'deny' });
    expect((await fetched('-i', url)).stdout).to.match(/^HTTP\/1\.1 403 .*not a \.nostr host/s);
  });

  it('recognises a request that comes back', async () => {
    await fetched(`http://${exit.host}/`);
    const via = seen[0]?.headers.via;
    const { stdout } = await fetched('-i', '-H', `Via: 1.0 a, ${via}`, `http://${exit.host}/`);
    expect(stdout).to.match(/^HTTP\/1\.1 502 .*error=proxy_loop_detected/s);
    expect(seen).to.have.length(1);
  });

  it('upgrades, and passes the new protocol both ways', async () => {
    const upgrading = await listen(createHttpServer());
    upgrading.server.on('upgrade', (_req, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
      );
      socket.pipe(socket);
    });
    entry.port = upgrading.port;
    const socket = await entry.dial();
    const head = ['Host: x', 'Connection: upgrade', 'Upgrade: echo', '', ''].join('\r\n');
    socket.write(`GET http://${exit.host}/ HTTP/1.1\r\n${head}`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).to.match(/^HTTP\/1\.1 101 /);
    socket.end('ping');
    expect(String(await readAll(socket))).to.equal('ping');
    await settled(() => entry.listener.connections + entry.streams.size);
    await upgrading.close();
  });

  it('says why an upgrade failed', async () => {
    entry.failure = new NwsError('exit_unreachable', 'nobody answers');
    const upgrade = ['-H', 'Connection: upgrade', '-H', 'Upgrade: websocket'];
    const { stdout } = await fetched('-i', ...upgrade, `http://${exit.host}/`);
    expect(stdout).to.match(/^HTTP\/1\.1 504 .*nws: nobody answers\n$/s);
  });

  it('aborts the request of a client that leaves', async () => {
    const silent = await listenHttp(() => undefined);
    entry.port = silent.port;
    const socket = await entry.dial();
    const asked = once(silent.server, 'request');
    socket.write(`GET http://${exit.host}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    await asked;
    socket.destroy();
    await settled(() => entry.listener.connections + entry.streams.size + silent.sockets.size);
    await silent.close();
  });
});
