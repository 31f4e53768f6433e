// SOCKS5 at the port, by curl and by hand: it goes the ways of CONNECT, and says why where it goes none.

import { once } from 'node:events';
import type { Server } from 'node:https';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { pino } from 'pino';
import { type ErrorCode, NwsError } from '../../../src/errors.js';
import { serveSocks } from '../../../src/proxy/socks/socks.js';
import type { ExitCertificate } from '../../../src/tls/certificate.js';
import { readAll } from '../../support/read-all.js';
import { deadPort, listen, listenTcp, type Running } from '../../support/servers.js';
import { curl } from '../curl.js';
import { FakeExit, settled, silent, TestEntry, type TestEntryOptions } from '../fixture.js';

const GREETING = [5, 1, 0];

function request(host: string, port: number): number[] {
  return [5, 1, 0, 3, host.length, ...Buffer.from(host), port >> 8, port & 255];
}

describe('proxy: SOCKS5', () => {
  let entry: TestEntry;
  let exit: FakeExit;
  let certificate: ExitCertificate;
  let site: Running<Server>;
  let lines: string;

  async function restart(options: TestEntryOptions = {}): Promise<void> {
    await entry?.close();
    lines = '';
    const log = pino({ level: 'info' }, { write: (line: string) => void (lines += line) });
    entry = await TestEntry.start({ log, ...options });
    certificate = await entry.certificateFor(exit);
    site = await listen(
      createHttpsServer(certificate, (req, res) => {
        if (req.method === 'GET') res.end('hello');
        else req.pipe(res);
      }),
    );
    entry.port = site.port;
    entry.events = [exit.publish(certificate)];
  }

  beforeEach(async () => {
    exit = new FakeExit();
    await restart();
  });
  afterEach(async () => {
    await entry.close();
    await site.close();
    entry = undefined as unknown as TestEntry;
  });

  const at = (): string => `127.0.0.1:${entry.proxyPort}`;
  const fetched = (...args: string[]) =>
    curl('--socks5-hostname', at(), '--cacert', entry.authority.path, ...args);

  /** Says it all at once, and reads to the end. */
  async function answerTo(...bytes: number[][]): Promise<number[]> {
    const socket = await entry.dial();
    socket.write(Buffer.from(bytes.flat()));
    const answer = await readAll(socket);
    socket.end();
    await settled(() => entry.listener.connections);
    return [...answer];
  }

  const replied = (code: number): number[] => [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0];

  it('serves curl by https, verified by the local CA', async () => {
    const page = await fetched(`https://${exit.host}/page`);
    expect(page).to.deep.equal({ status: 0, stdout: 'hello', stderr: '' });
    const body = 'x'.repeat(100_000);
    expect((await fetched('-d', body, `https://${exit.host}/`)).stdout).to.equal(body);
    expect(entry.opened).to.deep.equal([`${exit.host}:443`, `${exit.host}:443`]);
    await settled(() => entry.listener.connections + entry.streams.size + site.sockets.size);
  });

  it('serves curl by http', async () => {
    const echo = await listenTcp((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nplain'));
    entry.port = echo.port;
    expect((await fetched(`http://${exit.host}:8080/`)).stdout).to.equal('plain');
    expect(entry.opened).to.deep.equal([`${exit.host}:8080`]);
    await echo.close();
  });

  it('resolves the clear web here, by name and by address', async () => {
    const web = await listenTcp((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nclear'));
    expect((await fetched(`http://localhost:${web.port}/`)).stdout).to.equal('clear');
    expect((await fetched(`http://127.0.0.1:${web.port}/`)).stdout).to.equal('clear');
    await web.close();
  });

  it('tells a TLS client of failures inside TLS', async () => {
    entry.failure = new NwsError('exit_unreachable', 'nobody answers', { hint: 'wait' });
    const { stdout } = await fetched('-i', '--http1.1', `https://${exit.host}/`);
    expect(stdout).to.match(/^HTTP\/1\.1 504 .*nws: nobody answers \(wait\)\n$/s);
    expect(lines).to.include('nobody answers (wait)');
  });

  it('tells of another certificate inside TLS, and sends the exit nothing', async () => {
    entry.events = [exit.publish(await entry.certificateFor(exit, 'other'))];
    const { stdout } = await fetched('-i', '--http1.1', '-d', 'secret', `https://${exit.host}/`);
    expect(stdout).to.match(/^HTTP\/1\.1 502 .*nws: the exit serves certificate /s);
  });

  it('resets a client without TLS whose stream failed behind the reply', async () => {
    entry.failure = new NwsError('connection_refused', 'no');
    const socket = await entry.dial();
    const error = once(socket.removeAllListeners('error'), 'error');
    socket.write(Buffer.from([...GREETING, ...request(exit.host, 22)]));
    await once(socket, 'data');
    socket.write('hello');
    expect((await error)[0]).to.include({ code: 'ECONNRESET' });
  });

  it('carries a server’s first words, and what a client says ahead of its replies', async () => {
    const echo = await listenTcp((socket) => socket.pipe(socket).write('welcome '));
    entry.port = echo.port;
    const socket = await entry.dial();
    socket.end(Buffer.from([...GREETING, ...request(exit.host, 22), ...Buffer.from('hello')]));
    const answer = (await readAll(socket)).subarray(replied(0).length);
    expect(String(answer)).to.equal('welcome hello');
    await settled(() => entry.listener.connections + entry.streams.size);
    await echo.close();
  });

  it('takes every byte for itself', async () => {
    const socket = (await entry.dial()).setNoDelay(true);
    const tls = Buffer.from([...GREETING, ...request(exit.host, 443)]);
    for (const byte of tls) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    let got = Buffer.alloc(0);
    while (got.length < replied(0).length) {
      const [more] = await once(socket, 'data');
      got = Buffer.concat([got, more]);
    }
    socket.pause();
    expect([...got]).to.deep.equal(replied(0));
    const secure = connectTls({ socket, servername: exit.host, ca: entry.authority.pem });
    secure.write('GET / HTTP/1.0\r\n\r\n');
    expect(String(await readAll(secure))).to.match(/hello$/);
    secure.destroy();
  });

  describe('where streams are opened first', () => {
    beforeEach(async () => {
      await site.close();
      await restart({ tls: 'passthrough' });
    });

    const codes: readonly [ErrorCode, number][] = [
      ['no_relay', 4],
      ['exit_unreachable', 4],
      ['relay_unreachable', 4],
      ['dns_error', 4],
      ['destination_ip_unroutable', 4],
      ['http_request_denied', 2],
      ['destination_ip_prohibited', 2],
      ['connection_refused', 5],
      ['connection_timeout', 6],
      ['pin_mismatch', 1],
      ['proxy_internal_error', 1],
    ];
    for (const [code, reply] of codes) {
      it(`replies ${reply} to ${code}, and logs what to do`, async () => {
        entry.failure = new NwsError(code, 'it failed', { hint: 'do this' });
        expect(await answerTo(GREETING, request(exit.host, 80))).to.deep.equal(replied(reply));
        expect(JSON.parse(lines)).to.include({ code, msg: 'request failed: it failed (do this)' });
      });
    }

    it('lets the client verify the exit’s own certificate', async () => {
      const socket = await entry.dial();
      socket.write(Buffer.from([...GREETING, ...request(exit.host, 443)]));
      expect([...(await once(socket, 'data'))[0]]).to.have.length(2);
      expect([...(await once(socket, 'data'))[0]]).to.deep.equal(replied(0).slice(2));
      socket.pause();
      const secure = connectTls({ socket, servername: exit.host, ca: certificate.cert });
      await once(secure, 'secureConnect');
      secure.destroy();
    });

    it('replies 1 where the exit serves another certificate than its pin', async () => {
      entry.events = [exit.publish(await entry.certificateFor(exit, 'other'))];
      expect(await answerTo(GREETING, request(exit.host, 443))).to.deep.equal(replied(1));
    });
  });

  it('replies 4 to a name that is none, also where TLS ends here', async () => {
    expect(await answerTo(GREETING, request('nonsense.nostr', 443))).to.deep.equal(replied(4));
    expect(lines).to.include('"code":"bad_name"');
  });

  it('replies 5 to a port where nobody is, and 2 to what settings forbid', async () => {
    const dead = request('127.0.0.1', await deadPort());
    expect(await answerTo(GREETING, dead)).to.deep.equal(replied(5));
    await site.close();
    await restart({ clearnet: 'deny' });
    expect(await answerTo(GREETING, dead)).to.deep.equal(replied(2));
    expect(lines).to.include('--clearnet');
  });

  it('says in the log what it makes of SOCKS4 and of other commands', async () => {
    expect(await answerTo([4, 1, 0, 80, 127, 0, 0, 1, 0])).to.deep.equal([]);
    expect(lines).to.match(/SOCKS4.*socks5h:/);
    const udp = [5, 3, ...request('a', 1).slice(2)];
    expect(await answerTo(GREETING, udp)).to.deep.equal(replied(7));
    expect(lines).to.include('is not CONNECT');
    expect((await curl('--socks4a', at(), `http://${exit.host}/`)).status).to.be.oneOf([7, 97]);
  });

  it('outlives random bytes, half handshakes and clients that leave', async () => {
    const starts = [[], [1], [1, 0], [2, 0], [1, 0, 5, 1, 0], [1, 0, ...request(exit.host, 443)]];
    const leave = [
      (s: Socket) => s.resetAndDestroy(),
      (s: Socket) => s.end(),
      (s: Socket) => s.destroy(),
    ];
    for (let round = 0; round < 60; round += 1) {
      const socket = await entry.dial();
      const start = starts[round % starts.length]!;
      socket.resume().write(Buffer.from([5, ...start, ...Array(round).fill(round)]));
      leave[round % leave.length]!(socket);
    }
    await settled(() => entry.listener.connections + entry.streams.size);
    expect((await fetched(`https://${exit.host}/`)).stdout).to.equal('hello');
  });

  it('gives up on a client that doesn’t finish, in words that it understands', async () => {
    const from = { entry: { log: silent } as never, timeoutMs: 20 };
    const server = await listenTcp((socket) => {
      socket.once('data', (head: Buffer) => {
        serveSocks(from, socket.pause(), head);
      });
    });
    const last = async (...said: number[]): Promise<number[]> => {
      const client = await entry.dial(server.port);
      client.write(Buffer.from(said));
      const answer = [...(await readAll(client))];
      client.end();
      return answer;
    };
    expect(await last(5, 1)).to.deep.equal([5, 255]);
    expect(await last(...GREETING, 5, 1, 0)).to.deep.equal(replied(1));
    expect(await last(5, 1, 2, 1, 9)).to.deep.equal([5, 2, 1, 1]);
    await settled(() => server.sockets.size);
    await server.close();
  });
});
