// HTTP/2 from a client through proxy and relay to an exit, whose target speaks HTTP/1.1.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Stream } from 'node:stream';
import { expect } from 'chai';
import { readAll } from '../../support/read-all.js';
import { until } from '../../support/until.js';
import { Site } from '../support/site.js';
import { has } from '../support/tools.js';
import { World } from '../support/world.js';
import { answerTo, CUTTABLE, get, http2To, secureTo } from './client.js';

/** Unlike `once`, also of what fails. */
function closed(stream: Stream): Promise<unknown> {
  return new Promise((resolve) => stream.once('close', resolve));
}

describe('HTTP/2 through an exit', () => {
  let site: Site;
  let world: World;
  let session: ClientHttp2Session;

  before(async () => {
    site = await Site.start();
    world = await World.start({ target: site.url });
  });
  after(async () => {
    await world.close();
    await site.close();
  });
  beforeEach(async () => {
    session = await http2To(world);
  });
  afterEach(() => {
    session.destroy();
    site.removeAllListeners('request');
  });

  /** The next request under /held/, which the test answers. */
  async function held(): Promise<{ req: IncomingMessage; res: ServerResponse }> {
    const [req, res] = (await once(site, 'request')) as [IncomingMessage, ServerResponse];
    return { req, res };
  }

  it('serves curl, which prefers it', async function () {
    if (!has('curl', ['--version'], /HTTP2/)) this.skip();
    const { stdout } = await world.curl('-i', '--http2', world.https('/hello'));
    expect(stdout).to.match(/^HTTP\/1\.1 200 .*HTTP\/2 200 /s);
    expect(site.requests.at(-1)).to.equal('GET /hello');
  });

  it('serves a client of HTTP/1.0, by ALPN of that name', async () => {
    const secure = await secureTo(world, 'http/1.0');
    expect(secure.alpnProtocol).to.equal('http/1.0');
    secure.write('GET /old HTTP/1.0\r\n\r\n');
    expect((await readAll(secure)).toString()).to.match(/^HTTP\/1\.[01] 200 /);
    secure.destroy();
  });

  it('makes of pseudo-fields, crumbs and the fields of others what HTTP/1.1 says', async () => {
    const asked = held();
    const stream = session.request({
      ':path': '/held/fields?a=b',
      ':authority': world.exit.domain,
      cookie: ['a=1', 'b=2'],
      te: 'trailers',
      'x-forwarded-for': '203.0.113.7',
    });
    const { req, res } = await asked;
    res.end();
    expect(req.url).to.equal('/held/fields?a=b');
    expect(req.headers).to.include({
      host: world.exit.domain,
      cookie: 'a=1; b=2',
      te: 'trailers',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': world.exit.domain,
    });
    expect(req.headers['x-forwarded-for']).not.to.equal('203.0.113.7');
    expect(req.headers['x-nostr-entry']).to.match(/^[0-9a-f]{64}$/);
    await answerTo(stream);
  });

  it('leaves what belongs to a connection behind, and repeats what may be repeated', async () => {
    const asked = held();
    const got = get(session, '/held/answer');
    const { res } = await asked;
    res.writeHead(200, [
      ...['Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5'],
      ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Twice', '1', 'X-Twice', '2'],
    ]);
    res.end('ok');
    const { head, body } = await got;
    expect(head).not.to.have.any.keys('connection', 'keep-alive', 'x-hop', 'transfer-encoding');
    expect(head['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    expect(head['x-twice']).to.equal('1, 2');
    expect(body).to.equal('ok');
  });

  it('carries a hundred requests at once', async () => {
    const bodies = await Promise.all(
      [...Array(100).keys()].map(async (n) => (await get(session, `/n${n}`)).body),
    );
    for (const [n, body] of bodies.entries()) expect(body).to.include(`/n${n}`);
  });

  it('carries large bodies both ways, whole', async () => {
    const large = Buffer.alloc(8_000_000, 'u');
    const upload = session.request({ ':method': 'POST', ':path': '/digest' });
    upload.end(large);
    const [up, down] = await Promise.all([answerTo(upload), get(session, '/bytes/8000000')]);
    expect(JSON.parse(up.body).bytes).to.equal(8_000_000);
    expect(down.head['content-length'] ?? '8000000').to.equal('8000000');
  });

  it('has the answer begin, and go on, before the request has ended', async () => {
    const asked = held();
    const stream = session.request({ ':method': 'POST', ':path': '/held/duplex' });
    stream.write('one');
    const { req, res } = await asked;
    res.writeHead(200);
    req.on('data', (chunk: Buffer) => res.write(chunk));
    req.on('end', () => res.end());
    await once(stream, 'response');
    expect(String((await once(stream, 'data'))[0])).to.equal('one');
    stream.write('two');
    expect(String((await once(stream, 'data'))[0])).to.equal('two');
    stream.end();
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).to.equal(0);
  });

  it('hands trailers on, both ways', async () => {
    const asked = held();
    const stream = session.request(
      { ':method': 'POST', ':path': '/held/trailers' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-up': '1' }));
    stream.end('body');
    const { req, res } = await asked;
    await readAll(req);
    expect(req.trailers).to.include({ 'x-up': '1' });
    res.writeHead(200, { Trailer: 'X-Down' });
    res.write('body');
    res.addTrailers({ 'X-Down': '2' });
    res.end();
    const trailers = once(stream, 'trailers');
    await answerTo(stream);
    expect((await trailers)[0]).to.include({ 'x-down': '2' });
  });

  it('hands early hints on', async () => {
    const asked = held();
    const stream = session.request({ ':path': '/held/hints' });
    const hint = once(stream, 'headers');
    const { res } = await asked;
    res.writeEarlyHints({ link: '</a.css>; rel=preload' });
    res.end('page');
    expect((await hint)[0]).to.include({ ':status': 103, link: '</a.css>; rel=preload' });
    expect((await answerTo(stream)).body).to.equal('page');
  });

  it('gives a request up at the target when the client does', async () => {
    const asked = held();
    const stream = session.request({ ':path': '/held/given-up' });
    stream.on('error', () => undefined);
    const { res } = await asked;
    stream.close(constants.NGHTTP2_CANCEL);
    await once(res, 'close');
    expect(res.writableFinished).to.equal(false);
    expect((await get(session, '/next')).head[':status']).to.equal(200);
  });

  it('never lets a cut upload look whole to the target', async () => {
    const asked = held();
    const stream = session.request({ ':method': 'POST', ':path': '/held/cut' }, CUTTABLE);
    stream.on('error', () => undefined);
    stream.write('half');
    const { req } = await asked;
    req.on('error', () => undefined).resume();
    stream.close(constants.NGHTTP2_CANCEL);
    await closed(req);
    expect(req.complete).to.equal(false);
  });

  for (const framing of ['chunked', 'length'] as const) {
    it(`never lets a cut answer look whole to the client (${framing})`, async () => {
      const asked = held();
      const stream = session.request({ ':path': '/held/cut-answer' });
      stream.on('error', () => undefined).resume();
      let ended = false;
      stream.once('end', () => (ended = true));
      const { res } = await asked;
      res.writeHead(200, framing === 'length' ? { 'Content-Length': 100 } : {});
      res.write('half');
      await once(stream, 'response');
      const over = closed(stream);
      res.destroy();
      await over;
      expect(stream.rstCode).to.equal(constants.NGHTTP2_INTERNAL_ERROR);
      expect(ended).to.equal(false);
    });
  }

  it('answers HEAD, 204 and 304 without a body, and goes on', async () => {
    site.on('request', (_req, res) => {
      if (res.req.url === '/held/204') res.writeHead(204).end();
      else if (res.req.url === '/held/304') res.writeHead(304, { ETag: '"x"' }).end();
      else res.writeHead(200, { 'Content-Length': 5 }).end();
    });
    const head = await answerTo(session.request({ ':method': 'HEAD', ':path': '/held/head' }));
    expect(head.head).to.include({ ':status': 200, 'content-length': '5' });
    expect((await get(session, '/held/204')).head[':status']).to.equal(204);
    expect((await get(session, '/held/304')).head).to.include({ ':status': 304, etag: '"x"' });
  });

  it('carries a WebSocket as a stream, and its end', async () => {
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':path': '/echo',
      ':authority': world.exit.domain,
      'sec-websocket-version': '13',
    });
    const [head] = await once(stream, 'response');
    expect(head[':status']).to.equal(200);
    expect(head).not.to.have.any.keys('sec-websocket-accept', 'upgrade');
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])); // text: hi
    expect((await once(stream, 'data'))[0]).to.deep.equal(Buffer.from([0x81, 2, 0x68, 0x69]));
    stream.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 3, 232]));
    stream.resume();
    await once(stream, 'end');
    stream.end();
    await once(stream, 'close');
    expect(stream.rstCode).to.equal(0);
  });

  it('refuses CONNECT to anywhere else', async () => {
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'example.com:443' });
    expect((await answerTo(stream)).head[':status']).to.equal(400);
  });

  it('ends idle sessions with a GOAWAY when the exit stops', async () => {
    const other = await World.start({ target: site.url });
    const client = await http2To(other);
    const away = once(client, 'goaway');
    await other.exit.close(1_000);
    expect((await away)[0]).to.equal(constants.NGHTTP2_NO_ERROR);
    client.destroy();
    await other.close();
  });

  it('cuts what is under way when the exit stops and can wait no longer', async () => {
    const other = await World.start({ target: site.url });
    const socket = await secureTo(other);
    const client = connect(`https://${other.exit.domain}`, { createConnection: () => socket });
    client.on('error', () => undefined);
    const asked = held();
    const stream = client.request({ ':path': '/held/cut-off' });
    let ended = false;
    stream.on('error', () => undefined).on('end', () => (ended = true));
    const { res } = await asked;
    res.write('half');
    await once(stream, 'data');
    const over = Promise.race([closed(stream), once(socket, 'end')]);
    await other.exit.close(0);
    await over;
    expect(ended).to.equal(false);
    client.destroy();
    await other.close();
  });

  it('gives requests up at the target when the proxy is gone', async () => {
    const other = await World.start({ target: site.url });
    const client = await http2To(other);
    const asked = held();
    client.request({ ':path': '/held/gone' }).on('error', () => undefined);
    const { res } = await asked;
    const over = once(res, 'close');
    await other.proxy.close(0);
    await over;
    client.destroy();
    await until(() => other.exit.streams === 0);
    await other.close();
  });

  it('leaves nothing open when its client is gone', async () => {
    await get(session, '/last');
    session.destroy();
    await until(() => world.exit.streams === 0);
  });
});
