// Requests through undici over loopback: framing and streaming.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { Forwarder } from '../support/forwarder.js';
import { readAll } from '../support/read-all.js';

describe('http/forward', () => {
  let forwarder: Forwarder;
  beforeEach(async () => {
    forwarder = await Forwarder.start();
  });
  afterEach(() => forwarder.close());

  it('keeps status, reason, repeated fields and Content-Length', async () => {
    await forwarder.serve((_req, res) => {
      res.writeHead(418, 'Short And Stout', [
        'Set-Cookie',
        'a=1',
        'X-Case',
        'é',
        'Set-Cookie',
        'b=2',
        'Content-Length',
        '3',
      ]);
      res.end(Buffer.from('tea'));
    });
    const { res, body } = await forwarder.get();
    expect(res.statusCode).to.equal(418);
    expect(res.statusMessage).to.equal('Short And Stout');
    expect(res.headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    expect(res.rawHeaders).to.include('X-Case').and.include('é');
    expect(res.headers['content-length']).to.equal('3');
    expect(body.toString()).to.equal('tea');
  });

  it('passes the hop-by-hop fields of neither side on', async () => {
    let seen: IncomingMessage['headers'] = {};
    await forwarder.serve((req, res) => {
      seen = req.headers;
      res.writeHead(200, { Connection: 'close, X-Hop', 'X-Hop': '1', 'X-End': '2' }).end();
    });
    const headers = { Connection: 'close, X-Mine', 'X-Mine': '1', 'Proxy-Authorization': 'secret' };
    const { res } = await forwarder.get({ headers });
    expect(seen).not.to.have.any.keys('x-mine', 'proxy-authorization');
    expect(res.headers).to.include({ 'x-end': '2' }).and.not.have.property('x-hop');
  });

  it('hashes the same for 20 MB down, with and without a length', async () => {
    const data = randomBytes(20_000_000);
    await forwarder.serve((req, res) => {
      if (req.url === '/length') res.setHeader('Content-Length', data.length);
      res.end(data);
    });
    for (const path of ['/length', '/chunked']) {
      const { body } = await forwarder.get({ path });
      expect(sha256(body)).to.equal(sha256(data));
    }
  });

  it('hashes the same for 20 MB up, with and without a length', async () => {
    const data = randomBytes(20_000_000);
    await forwarder.serve((req, res) => {
      void readAll(req).then((body) =>
        res.end(
          `${sha256(body)} ${req.headers['content-length']} ${req.headers['transfer-encoding']}`,
        ),
      );
    });
    for (const [headers, framing] of [
      [{ 'Content-Length': data.length }, '20000000 undefined'],
      [{}, 'undefined chunked'],
    ] as const) {
      const { outgoing, answer } = forwarder.send({ method: 'POST', headers });
      for (let at = 0; at < data.length; at += 1_000_000) {
        outgoing.write(data.subarray(at, at + 1_000_000));
      }
      outgoing.end();
      expect((await readAll(await answer)).toString()).to.equal(`${sha256(data)} ${framing}`);
    }
  });

  it('hands each event of a stream over as it is written, and the head before the first', async () => {
    let tell: (text: string) => void = () => undefined;
    await forwarder.serve((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      tell = (text) => res.write(text);
    });
    const { outgoing, answer } = forwarder.send();
    outgoing.end();
    const res = await answer;
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      const arrived = once(res, 'data');
      tell(text);
      expect(String((await arrived)[0])).to.equal(text);
    }
    res.on('error', () => undefined).destroy();
  });

  it('answers HEAD, 204 and 304 without a body, and reuses the connection after them', async () => {
    await forwarder.serve((req, res) => {
      if (req.method === 'HEAD') res.writeHead(200, { 'Content-Length': 999 }).end();
      else res.writeHead(req.url === '/204' ? 204 : 304, { ETag: '"x"' }).end();
    });
    const head = await forwarder.get({ method: 'HEAD' });
    expect(head.res.headers['content-length']).to.equal('999');
    expect(head.body.length).to.equal(0);
    expect((await forwarder.get({ path: '/204' })).res.statusCode).to.equal(204);
    expect((await forwarder.get({ path: '/304' })).res.headers.etag).to.equal('"x"');
  });

  it('uses one connection to the origin for one request after another', async () => {
    let connections = 0;
    await forwarder.serve((_req, res) => res.end('ok'));
    forwarder.origin!.server.on('connection', () => (connections += 1));
    for (let count = 0; count < 5; count += 1) await forwarder.get();
    expect(connections).to.equal(1);
  });

  it('passes trailers on', async () => {
    await forwarder.serve((_req, res) => {
      res.writeHead(200, { Trailer: 'X-Sum' });
      res.write('body');
      res.addTrailers({ 'X-Sum': '42' });
      res.end();
    });
    expect((await forwarder.get()).res.trailers).to.deep.equal({ 'x-sum': '42' });
  });

  it('skips interim answers', async () => {
    await forwarder.serve((_req, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.end('final');
    });
    expect((await forwarder.get()).body.toString()).to.equal('final');
  });

  it('answers 100-continue itself and does not pass Expect on', async () => {
    await forwarder.serve(
      (req, res) => void readAll(req).then(() => res.end(String(req.headers.expect))),
    );
    const { outgoing, answer } = forwarder.send({
      method: 'PUT',
      headers: { Expect: '100-continue' },
    });
    outgoing.flushHeaders();
    await once(outgoing, 'continue');
    outgoing.end('body');
    expect((await readAll(await answer)).toString()).to.equal('undefined');
  });
});

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
