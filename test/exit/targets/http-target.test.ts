// The reverse proxy behind streams in memory: TLS with the exit's certificate, headers, life of connections.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type IncomingMessage, type RequestOptions, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { pino } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { createSigner, generateSecretKey } from '../../../src/crypto/signer.js';
import { HttpTarget, type HttpTargetOptions } from '../../../src/exit/targets/http-target.js';
import { parseTarget } from '../../../src/exit/targets/target.js';
import { type ExitCertificate, openExitCertificate } from '../../../src/tls/certificate.js';
import { ENTRY, type FakeIncoming, fakeIncoming } from '../../support/incoming.js';
import { readAll } from '../../support/read-all.js';
import { deadPort, listenHttp, type Running } from '../../support/servers.js';

describe('exit/http-target', () => {
  let home: string;
  let certificate: ExitCertificate;
  let origin: Running<Server>;
  let onRequest: Parameters<typeof listenHttp>[0];
  let target: HttpTarget;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'nws-http-target-'));
    const { pubkey } = createSigner(generateSecretKey());
    certificate = await openExitCertificate(home, pubkey, []);
    origin = await listenHttp((req, res) => onRequest(req, res));
  });
  after(async () => {
    await origin.close();
    await rm(home, { recursive: true });
  });
  beforeEach(() => start());
  afterEach(() => target.close(0));

  function start(options: Partial<HttpTargetOptions> & { path?: string } = {}): void {
    const parsed = parseTarget(`http://127.0.0.1:${origin.port}${options.path ?? ''}`);
    const log = pino({ level: 'silent' });
    target = new HttpTarget({ target: parsed, certificate, log, ...options });
  }

  function open(): FakeIncoming {
    const fake = fakeIncoming();
    fake.client.on('error', () => undefined);
    target.serve(fake.incoming);
    return fake;
  }

  async function openTls(): Promise<{ secure: TLSSocket; fake: FakeIncoming }> {
    const fake = open();
    const secure = connectTls({
      socket: fake.client,
      ca: certificate.cert,
      checkServerIdentity: () => undefined,
      servername: 'any.nostr',
      ALPNProtocols: ['http/1.1'],
    });
    secure.on('error', () => undefined);
    await once(secure, 'secureConnect');
    return { secure, fake };
  }

  async function ask(stream: Duplex, options: RequestOptions = {}) {
    const outgoing = request({ createConnection: () => stream, ...options });
    outgoing.end();
    const [res] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { res, body: (await readAll(res)).toString() };
  }

  it('answers inside TLS with its own certificate, in HTTP/1.1', async () => {
    onRequest = (_req, res) => res.end('hello');
    const { secure } = await openTls();
    expect(secure.authorized).to.equal(true);
    expect(secure.alpnProtocol).to.equal('http/1.1');
    expect((await ask(secure)).body).to.equal('hello');
  });

  it('answers plain HTTP as well', async () => {
    onRequest = (req, res) => res.end(req.headers['x-forwarded-proto']);
    expect((await ask(open().client)).body).to.equal('http');
  });

  it('says who asks and how, and believes nothing that the client says about it', async () => {
    let seen: IncomingMessage['headers'] = {};
    onRequest = (req, res) => res.end(void (seen = req.headers));
    const lies = { Forwarded: 'for=1.2.3.4', 'X-Forwarded-For': '1.2.3.4', 'X-Real-IP': '1.2.3.4' };
    const headers = {
      ...lies,
      Host: 'shop.nostr',
      'X-Forwarded-Host': 'evil',
      'X-Nostr-Entry': 'x',
    };
    await ask((await openTls()).secure, {
      headers: { ...headers, Connection: 'X-Forwarded-Proto' },
    });
    expect(seen).to.include({
      host: 'shop.nostr',
      'x-forwarded-host': 'shop.nostr',
      'x-forwarded-proto': 'https',
      'x-nostr-entry': ENTRY,
    });
    expect(JSON.stringify(seen)).not.to.contain('1.2.3.4').and.not.contain('evil');
  });

  it('sends the Host that the operator wants', async () => {
    for (const [hostHeader, sent] of [
      ['www.example.com', 'www.example.com'],
      ['target', `127.0.0.1:${origin.port}`],
    ] as const) {
      start({ hostHeader });
      onRequest = (req, res) => res.end(`${req.headers.host} ${req.headers['x-forwarded-host']}`);
      const { body } = await ask(open().client, { headers: { Host: 'shop.nostr' } });
      expect(body).to.equal(`${sent} shop.nostr`);
      await target.close(0);
    }
  });

  it('puts the path of the target in front, and lets nobody out of it', async () => {
    start({ path: '/app' });
    onRequest = (req, res) => res.end(req.url);
    for (const [path, sent] of [
      ['/', '/app/'],
      ['/a?x=/../b', '/app/a?x=/../b'],
      ['/.well-known/a..b', '/app/.well-known/a..b'],
      ['http://shop.nostr/abs', '/app/abs'],
      ['http://shop.nostr?q', '/app/?q'],
    ] as const) {
      expect((await ask(open().client, { path })).body).to.equal(sent);
    }
    expect((await ask(open().client, { path: '*', method: 'OPTIONS' })).body).to.equal('/app');
    for (const path of ['/../admin', '/a/%2e%2E/b', '/..', '/a/..%2fb', '/a\\..\\b', 'ftp://a/']) {
      const { res } = await ask(open().client, { path });
      expect(res.statusCode, path).to.equal(400);
    }
  });

  it('serves many requests on one connection', async () => {
    onRequest = (req, res) => res.end(req.url);
    const { secure } = await openTls();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    Object.assign(agent, { createConnection: () => secure });
    for (const path of ['/1', '/2', '/3']) {
      const outgoing = request({ agent, path }).end();
      const [res] = (await once(outgoing, 'response')) as [IncomingMessage];
      expect(res.headers['keep-alive']).to.equal('timeout=75');
      expect((await readAll(res)).toString()).to.equal(path);
    }
    agent.destroy();
  });

  it('answers for a dead target inside the connection, and for upgrades, too', async () => {
    start({ target: parseTarget(`http://127.0.0.1:${await deadPort()}`) });
    const { res, body } = await ask((await openTls()).secure);
    expect(res.statusCode).to.equal(502);
    expect(res.headers['proxy-status']).to.match(/^nws; error=connection_refused; details="/);
    expect(body).to.match(/^nws: cannot reach the target .*\n$/);
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
    expect((await ask((await openTls()).secure, { headers })).res.statusCode).to.equal(502);
  });

  it('carries WebSockets, and their end', async () => {
    const echo = new WebSocketServer({ server: origin.server });
    echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const { secure, fake } = await openTls();
    const options = { createConnection: () => secure };
    const client = new WebSocket('ws://shop.nostr/chat', options as WebSocket.ClientOptions);
    await once(client, 'open');
    client.send('ping');
    expect(String((await once(client, 'message'))[0])).to.equal('ping');
    // The client's TLS lets go of its side as soon as it has the end: that is no failure.
    const closed = new Promise((resolve) => fake.stream.once('close', resolve));
    fake.stream.on('error', () => undefined);
    client.close();
    await closed;
    echo.close();
    origin.server.removeAllListeners('upgrade');
  });

  it('answers 400 for what is no HTTP, and closes', async () => {
    const { client, stream } = open();
    const closed = once(stream, 'close');
    client.end('\u0001\u0002 garbage\r\n\r\n');
    expect((await readAll(client)).toString()).to.match(/^HTTP\/1\.1 400 Bad Request\r\n/);
    await closed;
  });

  it('closes the stream when its TLS breaks, during the handshake and after it', async () => {
    const early = open();
    const closed = once(early.stream, 'close');
    early.client.write(Buffer.concat([Buffer.from([0x16]), Buffer.alloc(500, 7)]));
    await closed;
    const { fake } = await openTls();
    const closedLater = once(fake.stream, 'close');
    fake.client.write(Buffer.alloc(500, 7));
    await closedLater;
  });

  it('closes when the client ends, resets or says nothing', async () => {
    onRequest = (_req, res) => res.end();
    const ended = open();
    const silent = open();
    const reset = await openTls();
    const gone = [ended, silent, reset.fake].map(({ stream }) => once(stream, 'close'));
    for (const promise of gone) promise.catch(() => undefined);
    ended.client.resume().end();
    silent.client.destroy();
    reset.fake.client.destroy();
    await Promise.allSettled(gone);
    expect([ended, silent, reset.fake].every(({ stream }) => stream.destroyed)).to.equal(true);
  });

  it('closes connections that wait too long for a request, and no others', async () => {
    await target.close(0);
    start({ idleMs: 50 });
    let finish: () => void = () => undefined;
    onRequest = (_req, res) => (finish = () => res.end('late'));
    const half = open();
    half.client.resume().write('GET / HTTP/1.1\r\n'); // a head that never ends
    const busy = open();
    const answer = ask(busy.client);
    const closed = once(busy.stream, 'close');
    await once(half.stream, 'close');
    finish();
    expect((await answer).body).to.equal('late');
    await closed;
  });

  it('lets an answer end while it closes, and ends idle connections at once', async () => {
    let finish: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      onRequest = (_req, res) => {
        res.write('be');
        finish = () => res.end('gun');
        resolve();
      };
    });
    const idle = await openTls();
    const answer = ask((await openTls()).secure);
    await asked;
    const closing = target.close(10_000);
    await once(idle.fake.stream, 'close');
    finish();
    expect((await answer).body).to.equal('begun');
    await closing;
  });
});
