// The clear web through an exit: CONNECT, absolute form and upgrades. The exit dials one loopback port whatever
// it is asked for, and the names exist nowhere: one that is resolved here can't work.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ErrorCode, NwsError } from '../../../src/errors.js';
import { ExitChooser } from '../../../src/proxy/clearnet/exits.js';
import { openExitCertificate } from '../../../src/tls/certificate.js';
import { readAll } from '../../support/read-all.js';
import { listen, listenHttp, type Running } from '../../support/servers.js';
import { curl } from '../curl.js';
import { FakeExit, RELAY, settled, silent, TestEntry } from '../fixture.js';

const HOST = 'shop.example.invalid';

describe('proxy: the clear web through an exit', () => {
  let entry: TestEntry;
  let site: Running<Server>;
  let seen: IncomingMessage[];
  /** Where the exit goes. */
  let port: number;
  /** What the exit was asked for. */
  let asked: string[];
  let refusal: ErrorCode | undefined;
  let streams: Set<Socket>;

  const exits = new ExitChooser({
    exits: [{ pubkey: new FakeExit().pubkey, relays: [RELAY] }],
    relays: [],
    discover: async () => [],
    log: silent,
    openVia: async (_exit, destination) => {
      asked.push(destination);
      if (refusal !== undefined) throw new NwsError(refusal, 'the exit says no');
      const stream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      streams.add(stream.once('close', () => streams.delete(stream)));
      await once(stream, 'connect');
      return stream;
    },
  });

  beforeEach(async () => {
    [seen, asked, refusal, streams] = [[], [], undefined, new Set()];
    site = await listenHttp((req, res) => {
      seen.push(req);
      if (req.method === 'POST') req.pipe(res);
      else res.end('hello');
    });
    port = site.port;
    entry = await TestEntry.start({ clearnet: 'exit', exits });
  });

  afterEach(async () => {
    await entry.close();
    await settled(() => streams.size);
    await site.close();
  });

  const fetched = (...args: string[]) => curl('--proxy', entry.url, ...args);

  it('carries TLS untouched, for the client to verify', async () => {
    const { cert, key } = await openExitCertificate(entry.home, new FakeExit().pubkey, [HOST]);
    const secure = await listen(createHttpsServer({ cert, key }, (_req, res) => res.end('secret')));
    port = secure.port;
    const trusted = join(entry.home, 'site.pem');
    writeFileSync(trusted, cert);
    const result = await fetched('--cacert', trusted, `https://${HOST}/`);
    expect(result).to.deep.equal({ status: 0, stdout: 'secret', stderr: '' });
    expect(asked).to.deep.equal([`${HOST}:443`]);
    expect((await fetched(`https://${HOST}/`)).status).to.equal(60);
    await secure.close();
  });

  it('checks the certificate of https:// in absolute form, where it is the TLS client', async () => {
    const { cert, key } = await openExitCertificate(entry.home, new FakeExit().pubkey, [HOST]);
    const secure = await listen(createHttpsServer({ cert, key }, (_req, res) => res.end('secret')));
    port = secure.port;
    const socket = await entry.dial();
    socket.write(`GET https://${HOST}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(String(await readAll(socket))).to.match(/^HTTP\/1\.1 50\d .*self-signed certificate/s);
    socket.end();
    expect(asked).to.deep.equal([`${HOST}:443`]);
    await settled(() => secure.sockets.size);
    await secure.close();
  });

  it('answers CONNECT when the exit is connected, and passes bytes, half-closes included', async () => {
    const socket = await entry.tunnelled(HOST, 80);
    socket.end(`POST / HTTP/1.0\r\nHost: ${HOST}\r\nContent-Length: 4\r\n\r\nping`);
    expect(String(await readAll(socket))).to.match(/ping$/);
    expect(asked).to.deep.equal([`${HOST}:80`]);
    await settled(() => entry.listener.connections);
  });

  it('tells why the exit could not', async () => {
    refusal = 'destination_ip_prohibited';
    const { stdout, stderr } = await fetched('-v', `https://${HOST}/`);
    expect(stdout).to.equal('');
    expect(stderr).to.match(/HTTP\/1\.1 403 .*error=destination_ip_prohibited/s);
    refusal = 'dns_error';
    expect((await fetched('-i', `http://${HOST}/`)).stdout).to.match(
      /^HTTP\/1\.1 502 .*dns_error/s,
    );
  });

  it('forwards absolute form: pages, uploads, and many requests on one stream', async () => {
    const { stdout } = await fetched(`http://${HOST}/1`, `http://${HOST}/2`);
    expect(stdout).to.equal('hellohello');
    const upload = await fetched('-d', 'x'.repeat(100_000), `http://${HOST}:8080/`);
    expect(upload.stdout).to.have.length(100_000);
    expect(asked).to.deep.equal([`${HOST}:80`, `${HOST}:8080`]);
    expect(seen[0]?.headers.host).to.equal(HOST);
  });

  it('sends IP addresses as they are, also those of this machine', async () => {
    expect((await fetched('http://127.0.0.1:9/')).stdout).to.equal('hello');
    expect((await fetched('http://[::1]:9/')).stdout).to.equal('hello');
    await (await entry.tunnelled('[::1]', 9)).destroy();
    expect(asked).to.deep.equal(['127.0.0.1:9', '[::1]:9', '[::1]:9']);
  });

  it('upgrades', async () => {
    const upgrading = await listen(createHttpServer());
    upgrading.server.on('upgrade', (_req, socket) => {
      socket.write('HTTP/1.1 101 Hi\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    port = upgrading.port;
    const socket = await entry.dial();
    const head = ['Host: x', 'Connection: upgrade', 'Upgrade: echo', '', ''].join('\r\n');
    socket.write(`GET http://${HOST}/ HTTP/1.1\r\n${head}`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).to.match(/^HTTP\/1\.1 101 /);
    socket.end('ping');
    expect(String(await readAll(socket))).to.equal('ping');
    expect(asked).to.deep.equal([`${HOST}:80`]);
    await upgrading.close();
  });

  it('leaves .nostr hosts to their own exit', async () => {
    const exit = new FakeExit();
    entry.port = site.port;
    expect((await fetched(`http://${exit.host}/`)).stdout).to.equal('hello');
    expect(asked).to.deep.equal([]);
    expect(entry.opened).to.deep.equal([`${exit.host}:80`]);
  });

  it('refuses where no exits were set up', async () => {
    await entry.close();
    entry = await TestEntry.start({ clearnet: 'exit' });
    expect((await fetched('-i', `http://${HOST}/`)).stdout).to.match(/^HTTP\/1\.1 500 /);
    expect(seen).to.deep.equal([]);
  });
});
