// User and password by SOCKS5: the same as by HTTP, judged in the same place.

import { expect } from 'chai';
import { pino } from 'pino';
import type { Entry } from '../../../src/proxy/entry.js';
import { serveSocks } from '../../../src/proxy/socks/socks.js';
import { readAll } from '../../support/read-all.js';
import { listenTcp, type Running } from '../../support/servers.js';
import { curl } from '../curl.js';
import { FakeExit, settled, silent, TestEntry } from '../fixture.js';

const AUTH = { user: 'Ann', password: 'a:b c/ü' };
const IN_URL = 'Ann:a%3Ab%20c%2F%C3%BC@';
const WRONG = [1, 1, 65, 1, 66];
const REFUSED = [5, 2, 1, 1];

function request(host: string): number[] {
  return [5, 1, 0, 3, host.length, ...Buffer.from(host), 0, 80];
}

describe('proxy: SOCKS5 with user and password', () => {
  const exit = new FakeExit();
  let entry: TestEntry;
  let site: Running<unknown>;
  let lines: string;

  beforeEach(async () => {
    lines = '';
    const log = pino({ level: 'info' }, { write: (line: string) => void (lines += line) });
    site = await listenTcp((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'));
    entry = await TestEntry.start({ auth: AUTH, port: site.port, log });
  });
  afterEach(async () => {
    await entry.close();
    await site.close();
  });

  const by = (login: string) =>
    curl('-x', `socks5h://${login}127.0.0.1:${entry.proxyPort}`, `http://${exit.host}/`);

  /** Says it all at once, and reads to the end. */
  async function answerTo(...bytes: number[][]): Promise<number[]> {
    const socket = await entry.dial();
    socket.write(Buffer.from(bytes.flat()));
    const answer = await readAll(socket);
    socket.end();
    await settled(() => entry.listener.connections);
    return [...answer];
  }

  it('serves who has both, and nobody else', async () => {
    expect((await by(IN_URL)).stdout).to.equal('hello');
    expect((await by('')).status).to.be.oneOf([7, 97]);
    expect(lines).to.include('socks5h://user:password@host:port');
    expect((await by('Ann:wrong@')).status).to.be.oneOf([7, 97]);
    expect(lines).to.include('"code":"proxy_auth_required"');
    expect(lines).to.include('wrong user or password').and.not.include('a:b c');
    expect(entry.opened).to.have.length(1);
    await settled(() => entry.listener.connections);
  });

  it('judges a client that says everything at once', async () => {
    const password = Buffer.from(AUTH.password);
    const login = [1, 3, ...Buffer.from(AUTH.user), password.length, ...password];
    const answer = await answerTo([5, 1, 2], login, request('nonsense.nostr'));
    expect(answer).to.deep.equal([5, 2, 1, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect(await answerTo([5, 1, 2], WRONG, request(exit.host))).to.deep.equal(REFUSED);
    expect(entry.opened).to.deep.equal([]);
  });

  it('is judged by whoever judges those of HTTP, with the address that it comes from', async () => {
    const asked: string[][] = [];
    const check = async (...what: string[]) => asked.push(what) > 1;
    const options = { entry: { log: silent } as Entry, authenticator: { check } };
    const server = await listenTcp((socket) => {
      socket.once('data', (head: Buffer) => serveSocks(options, socket.pause(), head));
    });
    for (const answer of [REFUSED, [5, 2, 1, 0]]) {
      const socket = await entry.dial(server.port);
      socket.end(Buffer.from([5, 1, 2, ...WRONG]));
      expect([...(await readAll(socket))]).to.deep.equal(answer);
    }
    expect(asked).to.deep.equal(Array(2).fill(['A', 'B', '127.0.0.1']));
    await server.close();
  });

  it('outlives clients that leave while their password is judged', async () => {
    for (let count = 0; count < 6; count += 1) {
      const socket = await entry.dial();
      socket.resume().write(Buffer.from([5, 1, 2, ...WRONG]));
      if (count % 2 === 0) socket.resetAndDestroy();
      else socket.end();
    }
    await settled(() => entry.listener.connections);
    expect(entry.opened).to.deep.equal([]);
  });
});
