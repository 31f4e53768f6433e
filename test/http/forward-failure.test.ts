// Requests through undici over loopback: both sides leaving, failing or slowing down at any time.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { forwardError } from '../../src/http/origin-errors.js';
import { Forwarder } from '../support/forwarder.js';
import { readAll } from '../support/read-all.js';
import { deadPort, listenTcp } from '../support/servers.js';

describe('http/forward when somebody leaves or waits', () => {
  let forwarder: Forwarder;
  beforeEach(async () => {
    forwarder = await Forwarder.start();
  });
  afterEach(() => forwarder.close());

  it('tells any error, that of an aborted signal with its numeric code, too', () => {
    const error = forwardError(new DOMException('This operation was aborted', 'AbortError'));
    expect(error.code).to.equal('http_protocol_error');
  });

  it('aborts the request when the client leaves, before and during the answer', async () => {
    for (const isLate of [false, true]) {
      let arrived: (req: IncomingMessage) => void = () => undefined;
      const waiting = new Promise<IncomingMessage>((resolve) => (arrived = resolve));
      await forwarder.serve((req, res) => {
        if (isLate) res.write('beginning');
        arrived(req);
      });
      const { outgoing, answer } = forwarder.send();
      outgoing.end();
      const req = await waiting;
      if (isLate) (await answer).on('error', () => undefined);
      const gone = once(req.socket, 'close');
      outgoing.destroy();
      await gone;
      await forwarder.origin!.close();
    }
  });

  it('aborts an upload when the client leaves in the middle', async () => {
    let arrived: (req: IncomingMessage) => void = () => undefined;
    const waiting = new Promise<IncomingMessage>((resolve) => (arrived = resolve));
    await forwarder.serve(
      (req) => void req.once('data', () => arrived(req)).on('error', () => undefined),
    );
    const { outgoing } = forwarder.send({
      method: 'POST',
      headers: { 'Content-Length': 1_000_000 },
    });
    outgoing.write('some');
    const req = await waiting;
    const gone = new Promise((resolve) => req.once('close', resolve));
    outgoing.destroy();
    await gone;
    expect(req.complete).to.equal(false);
  });

  it('cuts the client off when the origin dies in the middle of its answer', async () => {
    await forwarder.serve((_req, res) => {
      res.write('half of the');
      setImmediate(() => res.destroy());
    });
    const { outgoing, answer } = forwarder.send();
    outgoing.end();
    const error = await readAll(await answer).then(
      () => undefined,
      (cause: Error) => cause,
    );
    expect(error).to.include({ code: 'ECONNRESET' });
  });

  it('gives an early answer to a client that is still sending, and takes the rest', async () => {
    await forwarder.serve((req, res) => {
      if (req.method === 'POST') res.writeHead(413).end('too large');
      else res.end('next');
    });
    const client = connect(forwarder.port, '127.0.0.1');
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
    client.write(Buffer.alloc(5_000_000));
    expect(String((await once(client, 'data'))[0])).to.match(/^HTTP\/1\.1 413 /);
    client.write(Buffer.alloc(5_000_000));
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect((await readAll(client)).toString()).to.match(/HTTP\/1\.1 200 [\s\S]*next/);
  });

  it('holds the origin back while the client reads slowly', async () => {
    let written = 0;
    const total = 50_000_000;
    await forwarder.serve((_req, res) => {
      const pump = (): void => {
        while (written < total) {
          written += 100_000;
          if (!res.write(Buffer.alloc(100_000))) return void res.once('drain', pump);
        }
        res.end();
      };
      pump();
    });
    const { outgoing, answer } = forwarder.send();
    outgoing.end();
    const res = await answer;
    // Nobody reads: wait until nothing moves for a hundred turns of the loop.
    for (let still = 0, last = -1; still < 100; still += 1) {
      await new Promise(setImmediate);
      if (written !== last) still = 0;
      last = written;
    }
    expect(written).to.be.below(25_000_000);
    expect((await readAll(res)).length).to.equal(total);
  });

  it('lets the caller answer for a dead origin, also during an upload', async () => {
    forwarder.originPort = await deadPort();
    expect((await forwarder.get()).res.statusCode).to.equal(502);
    const { outgoing, answer } = forwarder.send({ method: 'POST' });
    outgoing.end(Buffer.alloc(5_000_000));
    const res = await answer;
    expect(res.headers['proxy-status']).to.contain('error=connection_refused');
    expect((await readAll(res)).toString()).to.match(/^nws: /);
  });

  it('takes an answer that is no HTTP for a protocol error', async () => {
    const tcp = await listenTcp((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    forwarder.originPort = tcp.port;
    const { res } = await forwarder.get();
    expect(res.statusCode).to.equal(502);
    expect(res.headers['proxy-status']).to.contain('error=http_protocol_error');
    await tcp.close();
  });

  it('answers pipelined requests in order, and gives all up when the client leaves', async () => {
    const left: Promise<unknown>[] = [];
    let onThird: () => void = () => undefined;
    const third = new Promise<void>((resolve) => (onThird = resolve));
    await forwarder.serve((req, res) => {
      if (req.url !== '/slow') return void res.end(req.url);
      left.push(once(req.socket, 'close'));
      if (left.length === 3) onThird();
    });
    const client = connect(forwarder.port, '127.0.0.1');
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    const head = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    client.write([...paths, '/slow', '/slow', '/slow'].map(head).join(''));
    let text = '';
    client.on('data', (chunk) => (text += chunk));
    await third;
    while (!text.includes('\r\n\r\n/19')) await once(client, 'data');
    expect([...text.matchAll(/\r\n\r\n(\/\d+)/g)].map((match) => match[1])).to.deep.equal(paths);
    client.destroy();
    await Promise.all(left);
  });
});
