// User and password at the proxy: who gets in by which way, what the others are told, and what guessing costs.

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { Authenticator, parseBasic } from '../../src/http/auth/auth.js';
import type { Entry } from '../../src/proxy/entry.js';
import { routes } from '../../src/proxy/routes.js';
import { localPages } from '../../src/proxy/status/local-pages.js';
import { Forwarder } from '../../src/proxy/ways/absolute-form.js';
import { readAll } from '../support/read-all.js';
import { listenHttp, type Running } from '../support/servers.js';
import { subject } from '../support/subject.js';
import { curl } from './curl.js';
import { FakeExit, settled, silent, TestEntry } from './fixture.js';

const AUTH = { user: 'Ann', password: 'a:b c/ü' };
const RIGHT = basic('Ann', 'a:b c/ü');
const WRONG = basic('Ann', 'a:b c/u');

/** Pauses short enough for a test. */
const LIMITS = {
  freeFailures: 1,
  firstPauseMs: 5,
  longestPauseMs: 20,
  longestWaitMs: 40,
  forgetMs: 60_000,
  maxAddresses: 10,
};

describe('proxy: authentication', () => {
  let entry: TestEntry;
  let exit: FakeExit;
  let site: Running<Server>;
  let seen: IncomingMessage[];

  beforeEach(async () => {
    seen = [];
    site = await listenHttp((req, res) => {
      seen.push(req);
      req.pipe(res);
    });
    site.server.on('upgrade', (req: IncomingMessage, socket: Socket) => {
      seen.push(req);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhi');
    });
    entry = await TestEntry.start({ port: site.port, auth: AUTH });
    exit = new FakeExit();
  });

  afterEach(async () => {
    await entry.close();
    await site.close();
  });

  /** Says something and reads to the end. */
  async function answerTo(...lines: string[]): Promise<string> {
    const socket = await entry.dial();
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    const answer = String(await readAll(socket));
    socket.end();
    await settled(() => entry.listener.connections);
    return answer;
  }

  const ways: readonly [way: string, line: () => string, headers: readonly string[]][] = [
    ['CONNECT to .nostr', () => `CONNECT ${exit.host}:80`, []],
    ['CONNECT to the clear web', () => `CONNECT 127.0.0.1:${site.port}`, []],
    ['CONNECT to nowhere', () => 'CONNECT nonsense.nostr:1', []],
    ['a request to .nostr', () => `GET http://${exit.host}/`, []],
    ['a request to the clear web', () => `GET http://127.0.0.1:${site.port}/`, []],
    ['a request for itself', () => `GET http://127.0.0.1:${entry.proxyPort}/healthz`, []],
    ['an upgrade', () => `GET http://${exit.host}/`, ['Connection: upgrade', 'Upgrade: x']],
  ];

  for (const [way, line, headers] of ways) {
    for (const [given, header] of [
      ['nothing', 'X: y'],
      ['a wrong password', `Proxy-Authorization: ${WRONG}`],
      ['another scheme', 'Proxy-Authorization: Bearer abc'],
      ['the right one for the site', `Authorization: ${RIGHT}`],
    ] as const) {
      it(`answers 407 to ${way} with ${given}, and nothing goes anywhere`, async () => {
        // HTTP/1.0: a request's connection ends by itself.
        const answer = await answerTo(`${line()} HTTP/1.0`, ...headers, header);
        expect(answer).to.match(/^HTTP\/1\.1 407 Proxy Authentication Required\r\n/);
        expect(answer).to.match(/^Proxy-Authenticate: Basic realm="nws"\r$/m);
        expect(answer).to.match(/^Proxy-Status: nws; error=http_request_denied; details="/m);
        expect(answer).to.match(/\r\n\r\nnws: [^\n]+HTTPS_PROXY=http:\/\/user:password@[^\n]+\n$/);
        expect({ seen, opened: entry.opened }).to.deep.equal({ seen: [], opened: [] });
      });
    }
  }

  it('lets in who has both, by every way, and sends neither on', async () => {
    const authority = `${exit.host}:80`;
    const connected = await answerTo(
      `CONNECT ${authority} HTTP/1.1`,
      `Proxy-Authorization: ${RIGHT}`,
      '',
      'GET /1 HTTP/1.0',
    );
    expect(connected).to.match(/^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 OK/);
    for (const headers of [[], ['Connection: upgrade', 'Upgrade: x']]) {
      const line = `GET http://${exit.host}/2 HTTP/1.1`;
      const secret = `Proxy-Authorization: ${RIGHT}`;
      const close = headers.length > 0 ? [] : ['Connection: close'];
      const answer = await answerTo(line, `Host: ${exit.host}`, secret, ...headers, ...close);
      expect(answer).to.match(headers.length > 0 ? /^HTTP\/1\.1 101 .*hi$/s : /^HTTP\/1\.1 200 /);
    }
    expect(seen.map(({ url }) => url)).to.deep.equal(['/1', '/2', '/2']);
    for (const { rawHeaders } of seen) {
      expect(rawHeaders.join()).not.to.match(/proxy-authorization|Basic/i);
    }
  });

  it('serves curl that has them in the URL of its proxy', async () => {
    const url = entry.url.replace('//', '//Ann:a%3Ab%20c%2F%C3%BC@');
    const to = `http://${exit.host}/`;
    const tunnelled = await curl('--proxy', url, '--proxytunnel', '-d', 'through', to);
    expect(tunnelled).to.deep.equal({ status: 0, stdout: 'through', stderr: '' });
    const forwarded = await curl('--proxy', url, '-d', 'forwarded', to);
    expect(forwarded.stdout).to.equal('forwarded');
    const refused = await curl('--proxy', entry.url, '--proxytunnel', to);
    expect(refused.status).to.be.oneOf([7, 56]);
    expect(refused.stderr).to.include('407');
  });

  it('lets a client try again on the same connection', async () => {
    const negotiating = ['--proxy', entry.url, '--proxy-anyauth', '--proxy-user', `Ann:a:b c/ü`];
    const { stderr } = await curl(...negotiating, '-v', `http://${exit.host}/`);
    expect(stderr.match(/HTTP\/1\.1 (407|200)/g)).to.deep.equal(['HTTP/1.1 407', 'HTTP/1.1 200']);
    expect(stderr).to.match(/Re-?using existing/i);
  });

  it('reads an upload that is refused, so that the next request on the connection is understood', async () => {
    const body = 'x'.repeat(100_000);
    const head = `POST http://${exit.host}/ HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n`;
    const socket = await entry.dial();
    socket.write(`${head}\r\n${body}`);
    socket.write(`${head}Proxy-Authorization: ${RIGHT}\r\nConnection: close\r\n\r\n${body}`);
    const answers = String(await readAll(socket));
    socket.end();
    expect(answers.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 407', 'HTTP/1.1 200']);
    expect(seen).to.have.length(1);
  });

  it('shows its own pages to this machine without, in origin form', async () => {
    expect((await curl(`${entry.url}/healthz`)).stdout).to.equal('ok\n');
  });

  it('outlives clients that leave while they are waited for', async () => {
    for (let count = 0; count < 6; count += 1) {
      const socket = await entry.dial();
      socket.write(`CONNECT ${exit.host}:80 HTTP/1.1\r\nProxy-Authorization: ${WRONG}\r\n\r\n`);
      if (count < 3) await readAll(socket);
      socket.resetAndDestroy();
    }
    await settled(() => entry.listener.connections);
    expect(entry.opened).to.deep.equal([]);
  });
});

describe('proxy: its own pages, seen from another machine', () => {
  const forwarder = new Forwarder({} as Entry);
  let proxy: Running<Server>;

  before(async () => {
    const pages = localPages({ caPem: 'the CA', subject: subject() });
    const handlers = routes({} as Entry, forwarder, pages, new Authenticator(AUTH, silent));
    proxy = await listenHttp(handlers.onRequest);
    // Tests keep to loopback: the address alone is another one.
    proxy.server.on('connection', (socket: Socket) => {
      Object.defineProperty(socket, 'remoteAddress', { value: '192.0.2.1' });
    });
  });

  after(async () => {
    await proxy.close();
    await forwarder.close();
  });

  it('need user and password as well', async () => {
    const url = `http://127.0.0.1:${proxy.port}/ca.pem`;
    expect((await curl('-i', url)).stdout).to.match(/^HTTP\/1\.1 407 /);
    expect((await curl('-H', `Proxy-Authorization: ${WRONG}`, '-i', url)).stdout).to.include('407');
    expect((await curl('-H', `Proxy-Authorization: ${RIGHT}`, url)).stdout).to.equal('the CA');
  });
});

describe('Authenticator', () => {
  const here = '192.0.2.1';
  let authenticator: Authenticator;

  beforeEach(() => {
    authenticator = new Authenticator(AUTH, silent, LIMITS);
  });

  it('wants both, exactly', async () => {
    const { user, password } = AUTH;
    expect(await authenticator.check(user, password, here)).to.equal(true);
    const wrong: readonly (readonly [string, string])[] = [
      ['', ''],
      [user, ''],
      ['', password],
      [password, user],
      ['ann', password],
      [user, `${password} `],
      [`${user}:a`, 'b c/ü'],
    ];
    for (const [index, [name, word]] of wrong.entries()) {
      expect(await authenticator.check(name, word, `192.0.2.${index + 10}`)).to.equal(false);
    }
  });

  it('turns a flood of guesses away, the right one among them, and others never notice', async () => {
    const limits = { ...LIMITS, firstPauseMs: 60_000, longestPauseMs: 60_000 };
    const patient = new Authenticator(AUTH, silent, limits);
    const guesses = Array.from({ length: 200 }, (_, index) =>
      patient.check(AUTH.user, index === 150 ? AUTH.password : `guess ${index}`, here),
    );
    expect(await patient.check(AUTH.user, AUTH.password, '192.0.2.2')).to.equal(true);
    expect(await Promise.all(guesses)).to.not.include(true);
  });

  it('has the owner of a slow address wait, and then lets him in for good', async () => {
    for (let count = 0; count < 3; count += 1) await authenticator.check('a', 'b', here);
    expect(await authenticator.check(AUTH.user, AUTH.password, here)).to.equal(true);
    const many = Array.from({ length: 50 }, () =>
      authenticator.check(AUTH.user, AUTH.password, here),
    );
    expect(await Promise.all(many)).to.not.include(false);
  });

  it('logs where failures come from, and never what was tried', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const logged = new Authenticator(AUTH, log, LIMITS);
    await logged.check(AUTH.user, AUTH.password, here);
    await logged.check('tried-user', 'tried-password', here);
    expect(lines).to.have.length(1);
    expect(lines[0])
      .to.include(here)
      .and.not.match(/tried|Ann|a:b/);
  });
});

describe('Basic credentials', () => {
  it('are read up to the first colon, whatever the case of the scheme', () => {
    const expected = { user: 'Ann', password: 'a:b c/ü' };
    expect(parseBasic(RIGHT)).to.deep.equal(expected);
    expect(parseBasic(RIGHT.replace('Basic ', 'bAsIc   '))).to.deep.equal(expected);
  });

  const malformed = [undefined, '', 'Basic', 'Basic ', 'Basic ===', 'Bearer QTpi', 'Basic QTpi x'];
  for (const header of [...malformed, basicText('no colon')]) {
    it(`are not in ${JSON.stringify(header)}`, () => {
      expect(parseBasic(header)).to.equal(undefined);
    });
  }
});

function basic(user: string, password: string): string {
  return basicText(`${user}:${password}`);
}

function basicText(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}
