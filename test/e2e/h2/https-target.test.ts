// An exit in front of https://: by HTTP/2 where the target has chosen it, else by HTTP/1.1.

import { once } from 'node:events';
import {
  type ClientHttp2Session,
  constants,
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer, type Server } from 'node:https';
import { expect } from 'chai';
import { WebSocketServer } from 'ws';
import { privatePem } from '../../../src/tls/files/key-file.js';
import { readAll } from '../../support/read-all.js';
import { listen, type Running } from '../../support/servers.js';
import { selfSigned } from '../../tls/support.js';
import { World } from '../support/world.js';
import { answerTo, CUTTABLE, get, http2To } from './client.js';

const NAME = 'service.example';
const pair = selfSigned(undefined, [NAME]);
const certified = { cert: pair.certificate.toString(), key: privatePem(pair) };

function worldOf(port: number): Promise<World> {
  const targetTrust = { ca: certified.cert, name: NAME };
  return World.start({ target: `https://127.0.0.1:${port}`, exit: { targetTrust } });
}

describe('HTTP/2 to an exit in front of https:// that speaks it', () => {
  let service: Running<Http2SecureServer>;
  let world: World;
  let session: ClientHttp2Session;
  let onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => unknown;

  before(async () => {
    service = await listen(createSecureServer(certified));
    service.server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      onStream(stream, headers);
    });
    world = await worldOf(service.port);
  });
  after(async () => {
    await world.close();
    await service.close();
  });
  beforeEach(async () => {
    session = await http2To(world);
  });
  afterEach(() => session.destroy());

  it('carries requests with their bodies, and the fields of a proxy', async () => {
    let seen: IncomingHttpHeaders = {};
    onStream = (stream, headers) => {
      seen = headers;
      stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'] });
      stream.pipe(stream);
    };
    const large = Buffer.alloc(3_000_000, 'x');
    const stream = session.request({ ':method': 'POST', ':path': '/a?b', cookie: ['c=1', 'd=2'] });
    stream.end(large);
    const { head, body } = await answerTo(stream);
    expect(body).to.equal(String(large));
    expect(head['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    expect(seen).to.include({
      ':path': '/a?b',
      ':scheme': 'https',
      ':authority': `${world.exit.domain}:443`,
      'x-forwarded-proto': 'https',
      cookie: 'c=1; d=2',
    });
  });

  it('has one connection to the target for many requests', async () => {
    onStream = (stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(headers[':path']);
    };
    const paths = [...Array(100).keys()].map((n) => `/${n}`);
    const got = await Promise.all(paths.map(async (path) => (await get(session, path)).body));
    expect(got).to.deep.equal(paths);
    expect(service.sockets.size).to.equal(1);
  });

  it('hands trailers on, both ways, and early hints', async () => {
    let seen: IncomingHttpHeaders = {};
    onStream = async (stream) => {
      stream.on('trailers', (trailers) => (seen = trailers));
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      await readAll(stream);
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-down': '2' }));
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.end('ok');
    };
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-up': '1' }));
    const [hints, trailers] = [once(stream, 'headers'), once(stream, 'trailers')];
    stream.end('hi');
    expect((await answerTo(stream)).body).to.equal('ok');
    expect((await hints)[0]).to.include({ ':status': 103, link: '</a.css>' });
    expect((await trailers)[0]).to.include({ 'x-down': '2' });
    expect(seen).to.include({ 'x-up': '1' });
  });

  it('answers HEAD, 204 and 304 without a body', async () => {
    onStream = (stream, { ':path': path }) => {
      stream.respond({ ':status': Number(path?.slice(1)), etag: '"x"' }, { endStream: true });
    };
    for (const status of [200, 204, 304]) {
      const method = status === 200 ? 'HEAD' : 'GET';
      const stream = session.request({ ':method': method, ':path': `/${status}` });
      const { head, body } = await answerTo(stream);
      expect([head[':status'], head.etag, body]).to.deep.equal([status, '"x"', '']);
    }
  });

  it('never lets what was cut look whole, up or down', async () => {
    let at: ServerHttp2Stream | undefined;
    let ended = false;
    onStream = (stream) => {
      at = stream;
      stream.on('end', () => (ended ||= !stream.aborted)).resume();
      stream.respond({ ':status': 200 });
      stream.write('half');
    };
    const down = session.request({ ':path': '/' });
    down.on('error', () => undefined).on('end', () => (ended = true));
    await once(down, 'data');
    const downOver = new Promise((resolve) => down.once('close', resolve));
    ended = false; // the request has ended, as a GET does
    at!.destroy(new Error('cut'));
    await downOver;
    expect([down.rstCode, ended]).to.deep.equal([constants.NGHTTP2_INTERNAL_ERROR, false]);
    const up = session.request({ ':method': 'POST', ':path': '/' }, CUTTABLE);
    up.on('error', () => undefined).write('half');
    await once(up, 'data');
    const upOver = new Promise((resolve) => at!.once('close', resolve));
    up.close(constants.NGHTTP2_CANCEL);
    await upOver;
    expect(ended).to.equal(false);
  });

  it('has an answer with a hint for clients of HTTP/1.1', async () => {
    const { stdout } = await world.curl(world.https('/'));
    expect(stdout).to.match(/^nws: cannot reach the target .*it speaks HTTP\/2 alone.*\n$/);
  });
});

describe('HTTP/2 to an exit in front of https:// that speaks HTTP/1.1 alone', () => {
  let site: Running<Server>;
  let world: World;
  let connections = 0;

  before(async () => {
    const server = createServer(certified, (req, res) => {
      res.write(`${req.httpVersion} ${req.method} ${req.url} `);
      req.pipe(res);
    });
    new WebSocketServer({ server }).on('connection', (socket) => socket.close(1_000));
    server.on('secureConnection', () => (connections += 1));
    site = await listen(server);
    world = await worldOf(site.port);
  });
  after(async () => {
    await world.close();
    await site.close();
  });

  it('goes on by that, and asks the target once what it speaks', async () => {
    const session = await http2To(world);
    for (const path of ['/a', '/b', '/c']) {
      expect((await get(session, path)).body).to.equal(`1.1 GET ${path} `);
    }
    const upload = session.request({ ':method': 'POST', ':path': '/d' });
    upload.end('body');
    expect((await answerTo(upload)).body).to.equal('1.1 POST /d body');
    expect(connections).to.be.at.most(3); // to find out, to be kept, and for the POST
    session.destroy();
  });

  it('has many requests at once ask it, and answers all', async () => {
    const other = await worldOf(site.port);
    const session = await http2To(other);
    const paths = [...Array(30).keys()].map((n) => `/${n}`);
    const got = await Promise.all(paths.map(async (path) => (await get(session, path)).body));
    expect(got).to.deep.equal(paths.map((path) => `1.1 GET ${path} `));
    session.destroy();
    await other.close();
  });

  it('carries WebSockets', async () => {
    const session = await http2To(world);
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':path': '/chat',
      ':authority': world.exit.domain,
      'sec-websocket-version': '13',
    });
    const [head] = await once(stream, 'response');
    expect(head[':status']).to.equal(200);
    expect((await once(stream, 'data'))[0]).to.deep.equal(Buffer.from([0x88, 2, 3, 232]));
    session.destroy();
  });
});

describe('an exit in front of https:// that speaks both', () => {
  it('asks it by the version of the client', async () => {
    const both = createSecureServer({ ...certified, allowHTTP1: true });
    const service = await listen(both.on('request', (req, res) => res.end(req.httpVersion)));
    const world = await worldOf(service.port);
    const session = await http2To(world);
    expect((await get(session, '/')).body).to.equal('2.0');
    session.destroy();
    expect((await world.curl(world.https('/'))).stdout).to.equal('1.1');
    expect((await world.curl(world.http('/'))).stdout).to.equal('1.1');
    await world.close();
    await service.close();
  });
});
