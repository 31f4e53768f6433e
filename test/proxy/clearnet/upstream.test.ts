// The clear web through another proxy: which way each kind of request takes, and what is said where it fails.

import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { expect } from 'chai';
import { proxyForEnv } from '../../../src/relay/connection/proxy-env.js';
import { openExitCertificate } from '../../../src/tls/certificate.js';
import { readAll } from '../../support/read-all.js';
import { deadPort, listen, listenHttp, listenTcp, type Running } from '../../support/servers.js';
import { curl } from '../curl.js';
import { FakeExit, settled, TestEntry } from '../fixture.js';
import { CompanyProxy, type CompanyProxyOptions } from './company-proxy.js';

const HOST = 'site.example';

describe('proxy: the clear web through an upstream proxy', () => {
  let entry: TestEntry;
  let company: CompanyProxy;
  let site: Running<ReturnType<typeof createHttpServer>>;
  let seen: IncomingMessage[];
  /** HTTP_PROXY and the like, read anew for each request. */
  let env: Record<string, string>;

  beforeEach(async () => {
    seen = [];
    site = await listenHttp((req, res) => {
      seen.push(req);
      if (req.method === 'POST') req.pipe(res);
      else res.end('hello');
    });
    await use({});
    entry = await TestEntry.start({ upstreamFor: (to) => proxyForEnv(env)(to) });
  });

  afterEach(async () => {
    await entry.close();
    await site.close();
    await company.close();
  });

  async function use(options: CompanyProxyOptions): Promise<void> {
    company = await CompanyProxy.start(options);
    company.port = site.port;
    env = { ALL_PROXY: company.url };
  }

  async function exchange(options: CompanyProxyOptions): Promise<void> {
    await company.close();
    await use(options);
  }

  const fetched = (...args: string[]) => curl('--proxy', entry.url, ...args);

  async function answerTo(authority: string): Promise<string> {
    const socket = await entry.dial();
    socket.write(`CONNECT ${authority} HTTP/1.1\r\n\r\n`);
    const answer = String(await readAll(socket));
    socket.end();
    return answer;
  }

  it('forwards plain requests in absolute form, bodies and kept connections included', async () => {
    const { stdout } = await fetched(`http://${HOST}/1?a`, `http://${HOST}/2`);
    expect(stdout).to.equal('hellohello');
    const upload = await fetched('-d', 'x'.repeat(100_000), `http://${HOST}:8080/`);
    expect(upload.stdout).to.have.length(100_000);
    expect(company.asked).to.deep.equal([
      `GET http://${HOST}/1?a`,
      `GET http://${HOST}/2`,
      `POST http://${HOST}:8080/`,
    ]);
    expect(seen.map((req) => req.headers.host)).to.deep.equal([HOST, HOST, `${HOST}:8080`]);
  });

  it('connects, and passes bytes, half-closes included', async () => {
    const echo = await listenTcp((socket) => socket.pipe(socket));
    company.port = echo.port;
    const socket = await entry.tunnelled(HOST, 443);
    socket.end('hello');
    expect(String(await readAll(socket))).to.equal('hello');
    expect(company.asked).to.deep.equal([`CONNECT ${HOST}:443`]);
    await settled(() => entry.listener.connections + echo.sockets.size);
    await echo.close();
  });

  it('passes what the host says first', async () => {
    const greeter = await listenTcp((socket) => socket.end('220 welcome'));
    company.port = greeter.port;
    const socket = await entry.dial();
    socket.write(`CONNECT ${HOST}:25 HTTP/1.1\r\n\r\n`);
    expect(String(await readAll(socket))).to.match(/^HTTP\/1\.1 200 .*\r\n\r\n220 welcome$/s);
    socket.end();
    await greeter.close();
  });

  it('tunnels https URLs in absolute form, and checks their certificates', async () => {
    const { cert, key } = await openExitCertificate(entry.home, new FakeExit().pubkey, [HOST]);
    const secure = await listen(createHttpsServer({ cert, key }, (_req, res) => res.end('secret')));
    company.port = secure.port;
    const socket = await entry.dial();
    socket.write(`GET https://${HOST}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(String(await readAll(socket))).to.match(/^HTTP\/1\.1 50\d .*self-signed certificate/s);
    socket.end();
    expect(company.asked).to.deep.equal([`CONNECT ${HOST}:443`]);
    await secure.close();
  });

  it('tunnels upgrades', async () => {
    const upgrading = await listen(createHttpServer());
    upgrading.server.on('upgrade', (_req, socket) => {
      socket.write('HTTP/1.1 101 Hi\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    company.port = upgrading.port;
    const socket = await entry.dial();
    const head = ['Host: x', 'Connection: upgrade', 'Upgrade: echo', '', ''].join('\r\n');
    socket.write(`GET http://${HOST}/ HTTP/1.1\r\n${head}`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).to.match(/^HTTP\/1\.1 101 /);
    socket.end('ping');
    expect(String(await readAll(socket))).to.equal('ping');
    expect(company.asked).to.deep.equal([`CONNECT ${HOST}:80`]);
    await upgrading.close();
  });

  it('says who it is, to the proxy alone', async () => {
    await exchange({ login: 'jo:p%40ss' });
    expect((await fetched(`http://${HOST}/`)).stdout).to.equal('hello');
    await (await entry.tunnelled(HOST)).destroy();
    const login = `Basic ${Buffer.from('jo:p@ss').toString('base64')}`;
    const said = company.heads.map((head) => head['proxy-authorization']);
    expect(said).to.deep.equal([login, login]);
    await exchange({});
    env = { HTTP_PROXY: company.url };
    await fetched('--proxy-user', 'mine:own', `http://${HOST}/`);
    expect(company.heads[0]).not.to.have.any.keys('proxy-authorization');
  });

  it('keeps to the proxy’s certificate where its URL is an https one', async () => {
    const { cert, key } = await openExitCertificate(entry.home, new FakeExit().pubkey, [HOST]);
    await exchange({ tls: { cert, key } });
    expect((await fetched('-i', `http://${HOST}/`)).stdout).to.match(
      /^HTTP\/1\.1 502 .*error=tls_certificate_error.*can't trust the upstream proxy localhost:\d+.*NODE_EXTRA_CA_CERTS/s,
    );
    expect(await answerTo(`${HOST}:443`)).to.match(/^HTTP\/1\.1 502 .*NODE_EXTRA_CA_CERTS/s);
    expect(company.asked).to.deep.equal([]);
  });

  it('dials what NO_PROXY names, loopback, and what no variable is for', async () => {
    env.NO_PROXY = '.invalid';
    expect(await answerTo('host.invalid:443')).to.match(/^HTTP\/1\.1 50[24] .*error=dns_/s);
    expect((await fetched('-i', 'http://host.invalid/')).stdout).to.match(/error=dns_/);
    for (const host of ['127.0.0.1', 'localhost']) {
      expect((await fetched(`http://${host}:${site.port}/`)).stdout).to.equal('hello');
    }
    env = { HTTPS_PROXY: company.url };
    expect((await fetched('-i', 'http://other.invalid/')).stdout).to.match(/error=dns_/);
    expect(company.asked).to.deep.equal([]);
  });

  it('leaves .nostr to the tunnel', async () => {
    entry.port = site.port;
    const exit = new FakeExit();
    expect((await fetched(`http://${exit.host}/`)).stdout).to.equal('hello');
    expect(company.asked).to.deep.equal([]);
  });

  describe('where that fails', () => {
    const secret = /pa55/;

    it('says that the proxy can’t be reached', async () => {
      const port = await deadPort();
      env = { ALL_PROXY: `http://jo:pa55@localhost:${port}` };
      const message = `can't use the upstream proxy localhost:${port}: connect ECONNREFUSED`;
      const answers = [await answerTo(`${HOST}:443`)];
      for (const url of [`http://${HOST}/`, `https://${HOST}/`]) {
        answers.push((await fetched('-i', url)).stdout);
      }
      // Of a refused CONNECT, curl prints the head alone.
      for (const answer of answers.slice(0, 2)) {
        expect(answer).to.match(/^HTTP\/1\.1 502 .*error=connection_refused/s);
        expect(answer).to.include(message).and.to.include('NO_PROXY').and.not.to.match(secret);
      }
      expect(answers[2]).to.match(/^HTTP\/1\.1 502 /);
    });

    it('says that the proxy wants another login, and doesn’t hand on its 407', async () => {
      await exchange({ login: 'jo:pa55' });
      const url = company.urlWith('');
      for (const [proxy, words] of [
        [url, 'wants a user and a password'],
        [company.urlWith('jo:wrong@'), 'does not take this user and password'],
      ] as const) {
        env = { ALL_PROXY: proxy };
        const { stdout } = await fetched('-i', `http://${HOST}/`);
        for (const answer of [stdout, await answerTo(`${HOST}:443`)]) {
          expect(answer).to.match(/^HTTP\/1\.1 502 /);
          expect(answer).to.include(`the upstream proxy ${company.host} ${words} (407)`);
          expect(answer).to.not.match(/proxy-authenticate|wrong/i);
        }
      }
      expect(seen).to.deep.equal([]);
    });

    it('says what the proxy refuses', async () => {
      for (const [line, status] of [
        ['403 Forbidden by policy', 403],
        ['504 Gateway Timeout', 504],
        ['500 Oh', 502],
      ] as const) {
        company.refusal = line;
        const answer = await answerTo(`${HOST}:443`);
        expect(answer).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
        expect(answer).to.include(`${company.host} answered ${line} to CONNECT ${HOST}:443`);
      }
    });

    it('says that the proxy speaks something else, or nothing', async () => {
      for (const word of ['SSH-2.0-OpenSSH\r\n', undefined]) {
        const other = await listenTcp((socket) => (word ? socket.end(word) : socket.destroy()));
        env = { ALL_PROXY: `http://localhost:${other.port}` };
        const answer = await answerTo(`${HOST}:443`);
        expect(answer).to.match(/^HTTP\/1\.1 502 .*can't use the upstream proxy/s);
        await other.close();
      }
    });

    it('refuses a proxy of another kind without repeating its URL', async () => {
      env = { ALL_PROXY: 'socks5://jo:pa55@proxy' };
      const { stdout } = await fetched('-i', `http://${HOST}/`);
      for (const answer of [stdout, await answerTo(`${HOST}:443`)]) {
        expect(answer).to.match(/^HTTP\/1\.1 500 .*not an http:\/\/ or https:\/\/ URL/s);
        expect(answer).not.to.match(secret);
      }
    });

    it('gives up with a client that leaves', async () => {
      const silent = await listenTcp((asked) => asked.resume().once('end', () => asked.destroy()));
      env = { ALL_PROXY: `http://localhost:${silent.port}` };
      const socket = await entry.dial();
      socket.write(`CONNECT ${HOST}:443 HTTP/1.1\r\n\r\n`);
      await once(silent.server, 'connection');
      socket.resetAndDestroy();
      await settled(() => silent.sockets.size);
      await silent.close();
    });
  });
});
