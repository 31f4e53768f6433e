// The port under clients that don't behave: garbage, half requests, too much, too many, too slow to leave.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { Listener } from '../../src/proxy/listener.js';
import { readAll } from '../support/read-all.js';
import { expectRejection } from './expect-rejection.js';
import { settled, TestEntry } from './fixture.js';

describe('proxy: the port', () => {
  let entry: TestEntry;

  beforeEach(async () => {
    entry = await TestEntry.start();
  });

  afterEach(() => entry.close());

  const answerTo = async (bytes: string | Buffer): Promise<string> => {
    const socket = await entry.dial();
    if (bytes.length > 0) socket.write(bytes);
    else socket.end();
    const answer = String(await readAll(socket));
    socket.end();
    await settled(() => entry.listener.connections);
    return answer;
  };

  it('answers 400 to what is not HTTP, and says what it speaks', async () => {
    const answer = await answerTo('hello, are you there?\r\n\r\n');
    expect(answer)
      .to.match(/^HTTP\/1\.1 400 /)
      .and.to.include('CONNECT host:port');
    expect(answer).to.match(/^proxy-status: nws; error=http_request_error/im);
  });

  it('closes on TLS and SOCKS4 without a word that their clients would not understand', async () => {
    expect(await answerTo(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x00]))).to.equal('');
    expect(await answerTo(Buffer.from([0x04, 0x01, 0x00, 0x50, 127, 0, 0, 1, 0]))).to.equal('');
  });

  it('closes at once on a client that says nothing and ends its side', async () => {
    expect(await answerTo(Buffer.alloc(0))).to.equal('');
  });

  it('loses nothing of a request in pieces, the first of one byte, with its end behind it', async () => {
    for (const cut of [1, 2, 30]) {
      const request = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const socket = (await entry.dial()).setNoDelay(true);
      socket.write(request.slice(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.end(request.slice(cut));
      expect(String(await readAll(socket))).to.match(/^HTTP\/1\.1 200 .*ok\n$/s);
    }
  });

  it('answers 431 to a head that is too large', async () => {
    const answer = await answerTo(`GET http://a/ HTTP/1.1\r\nX: ${'x'.repeat(140_000)}\r\n\r\n`);
    expect(answer)
      .to.match(/^HTTP\/1\.1 431 /)
      .and.to.match(/^proxy-status: nws/im);
  });

  for (const target of ['nonsense', 'a.example:', ':443', 'a.example:99999', '[::1', '/']) {
    it(`answers 400 to CONNECT ${target}`, async () => {
      const answer = await answerTo(`CONNECT ${target} HTTP/1.1\r\n\r\n`);
      expect(answer).to.match(/^HTTP\/1\.1 400 .*proxy-status: nws/is);
    });
  }

  it('answers 400 to an absolute form without a host', async () => {
    const answer = await answerTo('GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer).to.match(/^HTTP\/1\.1 400 .*proxy-status: nws/is);
  });

  it('outlives random bytes, half requests and resets', async () => {
    const starts = [
      '',
      'CONNECT ',
      'CONNECT a.nostr:1 HTTP/1.1\r\n',
      'GET http://a/ HTTP/1.1\r\nHo',
    ];
    const leave = [
      (s: Socket) => s.resetAndDestroy(),
      (s: Socket) => s.end(),
      (s: Socket) => s.destroy(),
    ];
    for (let round = 0; round < 60; round += 1) {
      const socket = await entry.dial();
      socket.resume().write(starts[round % starts.length]! || Buffer.alloc(50, round));
      leave[round % leave.length]!(socket);
    }
    await settled(() => entry.listener.connections);
    expect(await answerTo('GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n')).to.match(/ok\n$/);
  });

  it('serves others beside 1,000 idle connections, and closes them all at its end', async () => {
    const idle: Socket[] = [];
    for (let batch = 0; batch < 10; batch += 1) {
      idle.push(...(await Promise.all(Array.from({ length: 100 }, () => entry.dial()))));
    }
    const answer = once(
      (await entry.dial()).end('GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n'),
      'data',
    );
    expect(String((await answer)[0])).to.match(/^HTTP\/1\.1 200 /);
    expect(entry.listener.connections).to.be.at.least(1_000);
    const closed = Promise.all(idle.map((socket) => once(socket.resume(), 'close')));
    for (const socket of idle) socket.once('end', () => socket.end());
    await entry.listener.close(0);
    await closed;
    expect(entry.listener.connections).to.equal(0);
  });

  describe('with small limits', () => {
    const limits = { maxConnections: 3, headTimeoutMs: 40, headCheckMs: 10, keepAliveMs: 40 };
    let listener: Listener;
    let port: number;

    beforeEach(async () => {
      const onRequest = (_req: IncomingMessage, res: ServerResponse) => void res.end('ok');
      const ignored = () => undefined;
      const handlers = { onRequest, onConnect: ignored, onUpgrade: ignored, onSocks: ignored };
      listener = new Listener(handlers, limits);
      port = (await listener.listen({ host: '127.0.0.1', port: 0 })).port;
    });

    afterEach(() => listener.close(0));

    for (const said of ['', 'GET http://a/ HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n']) {
      it(`closes a client that says ${JSON.stringify(said)} and no more`, async () => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        socket.resume().write(said);
        await once(socket, 'close');
        await settled(() => listener.connections);
      });
    }

    it('takes no more connections than its bound, and says so to a few', async () => {
      const sockets: Socket[] = [];
      const dial = async (): Promise<Socket> => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        sockets.push(socket);
        await once(socket, 'connect');
        return socket;
      };
      for (let count = 0; count < 3; count += 1) await dial();
      // The time-outs above close the others, but only after one that was refused.
      const refused = await dial();
      refused.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(String(await readAll(refused))).to.match(
        /^HTTP\/1\.1 503 .*connection_limit_reached.*ulimit/is,
      );
      const socks = await dial();
      socks.write(Buffer.from([5, 1, 0]));
      expect(String(await readAll(socks))).to.equal('');
      for (const socket of sockets) socket.destroy();
    });
  });

  it('says that an address is taken, and what to do', async () => {
    const taken = { host: '127.0.0.1', port: entry.proxyPort };
    const second = await TestEntry.start();
    await second.listener.close(0);
    const error = await expectRejection(second.listener.listen(taken));
    expect(error.code).to.equal('address_in_use');
    expect(error.line).to.include(`127.0.0.1:${taken.port}`).and.to.include('--listen');
    await second.close();
  });
});
