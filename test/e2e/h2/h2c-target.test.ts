// HTTP/1.1 from a client to an exit in front of h2c://: what the one version knows is said in the other.

import { once } from 'node:events';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { readAll } from '../../support/read-all.js';
import { listen, type Running } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { World } from '../support/world.js';
import { secureTo } from './client.js';

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => unknown;

describe('HTTP/1.1 to an exit in front of h2c://', () => {
  let service: Running<Http2Server>;
  let world: World;
  let onStream: OnStream;

  async function start(settings: Settings = {}): Promise<void> {
    service = await listen(createServer({ settings }));
    service.server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      onStream(stream, headers);
    });
    world = await World.start({ target: `h2c://127.0.0.1:${service.port}` });
  }
  before(() => start({ enableConnectProtocol: true }));
  after(stop);
  async function stop(): Promise<void> {
    await world.close();
    await service.close();
  }

  /** Answers with the method, the path and the body of the request. */
  const echo: OnStream = async (stream, headers) => {
    const body = await readAll(stream);
    stream.respond({ ':status': 200 });
    stream.end(`${headers[':method']} ${headers[':path']} ${body}`);
  };

  /** Sends bytes through CONNECT and TLS, and reads what comes back to the end. */
  async function exchange(bytes: string): Promise<string> {
    const secure = await secureTo(world, 'http/1.1');
    secure.write(bytes);
    const answer = (await readAll(secure)).toString();
    secure.destroy();
    return answer;
  }

  for (const way of ['https', 'http'] as const) {
    it(`carries GET and POST, with and without a length, by ${way}`, async () => {
      onStream = echo;
      const url = world[way]('/a?b');
      expect((await world.curl(url)).stdout).to.equal('GET /a?b ');
      expect((await world.curl('-d', 'body', url)).stdout).to.equal('POST /a?b body');
      const chunked = ['-H', 'Transfer-Encoding: chunked'];
      expect((await world.curl(...chunked, '-d', 'body', url)).stdout).to.equal('POST /a?b body');
      expect((await world.curl('-d', '', url)).stdout).to.equal('POST /a?b ');
      expect((await world.curl('-X', 'LIST', url)).stdout).to.equal('LIST /a?b ');
    });
  }

  it('says who asks, and nothing that belongs to a connection', async () => {
    let seen: IncomingHttpHeaders = {};
    onStream = (stream, headers) => {
      seen = headers;
      stream.respond({ ':status': 200 });
      stream.end();
    };
    await world.curl('-H', 'Connection: X-Hop', '-H', 'X-Hop: 1', '-H', 'X: 1', world.https('/'));
    expect(seen).to.include({
      ':authority': world.exit.domain,
      ':scheme': 'http',
      'x-forwarded-proto': 'https',
      x: '1',
    });
    expect(seen).not.to.have.any.keys('host', 'connection', 'x-hop', 'x-forwarded-for');
  });

  it('carries large bodies both ways, whole', async () => {
    onStream = (stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    };
    const length = 3_000_000;
    const got = exchange(
      `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`,
    );
    const answer = await got;
    expect(answer.split('x').length - 1).to.equal(length);
    expect(answer).to.match(/\r\n0\r\n\r\n$/);
  });

  it('hands trailers on, both ways', async () => {
    let seen: IncomingHttpHeaders = {};
    onStream = async (stream) => {
      stream.on('trailers', (trailers) => (seen = trailers));
      await readAll(stream);
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-down': '2' }));
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.end('ok');
    };
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: TE, close\r\n';
    const body = '2\r\nhi\r\n0\r\nX-Up: 1\r\n\r\n';
    const answer = await exchange(`${head}Transfer-Encoding: chunked\r\n\r\n${body}`);
    expect(answer).to.match(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n2\r\nok\r\n0\r\nx-down: 2\r\n\r\n$/);
    expect(seen).to.include({ 'x-up': '1' });
  });

  it('answers HEAD, 204 and 304 without a body, and goes on', async () => {
    onStream = (stream, { ':path': path, ':method': method }) => {
      const status = Number(path?.slice(1)) || 200;
      const fields = method === 'HEAD' ? { 'content-length': 5 } : {};
      stream.respond({ ':status': status, 'x-path': path, ...fields }, { endStream: true });
    };
    const answer = await exchange(
      [
        'HEAD /head HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET /204 HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET /304 HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      ].join(''),
    );
    const heads = answer.split(/(?=HTTP\/1\.1 )/);
    expect(heads.map((head) => head.split(' ')[1])).to.deep.equal(['200', '204', '304', '200']);
    expect(heads[0]).to.match(/content-length: 5\r\n/i);
    for (const head of heads.slice(0, 3)) {
      expect(head)
        .to.match(/\r\n\r\n$/)
        .and.not.match(/transfer-encoding/i);
      expect(head.indexOf('\r\n\r\n')).to.equal(head.length - 4);
    }
  });

  it('hands early hints on, and the word to go on with an upload', async () => {
    onStream = async (stream, headers) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
      if (headers.expect) stream.additionalHeaders({ ':status': 100 });
      await echo(stream, headers);
    };
    const { stdout } = await world.curl('-i', world.https('/'));
    expect(stdout).to.match(/HTTP\/1\.1 103 [\s\S]*link: <\/a\.css>; rel=preload[\s\S]* 200 OK/i);
    const upload = await world.curl('-H', 'Expect: 100-continue', '-d', 'up', world.https('/'));
    expect(upload.stdout).to.equal('POST / up');
  });

  it('gives a request up at the target when the client leaves', async () => {
    const asked = new Promise<ServerHttp2Stream>((resolve) => (onStream = resolve));
    const secure = await secureTo(world, 'http/1.1');
    secure.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const stream = await asked;
    secure.destroy();
    await once(stream, 'close');
    expect(stream.rstCode).to.equal(8); // CANCEL
  });

  for (const way of ['https', 'http'] as const) {
    it(`never lets a cut answer look whole, by ${way}`, async () => {
      let cut: () => void = () => undefined;
      onStream = (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('half');
        cut = () => stream.destroy(new Error('cut'));
      };
      const client = world.startCurl('-N', world[way]('/'));
      expect(String((await once(client.stdout, 'data'))[0])).to.equal('half');
      cut();
      expect((await once(client, 'close'))[0]).to.be.greaterThan(0);
    });
  }

  describe('a WebSocket', () => {
    /** Speaks no more of WebSockets than to send everything back, unmasked. */
    const accept: OnStream = (stream, headers) => {
      const protocol = headers['sec-websocket-protocol'];
      stream.respond({ ':status': 200, ...(protocol && { 'sec-websocket-protocol': protocol }) });
      stream.on('data', (frame: Buffer) => {
        const text = frame.subarray(6).map((byte, at) => byte ^ frame[2 + (at % 4)]!);
        stream.write(Buffer.concat([frame.subarray(0, 1), Buffer.of(text.length), text]));
      });
      stream.on('end', () => stream.end());
    };

    async function open(scheme: 'https' | 'http'): Promise<WebSocket> {
      const socket =
        scheme === 'https'
          ? await secureTo(world, 'http/1.1')
          : await world.connect(world.exit.domain, 80);
      const options = { createConnection: () => socket, perMessageDeflate: false };
      return new WebSocket(`ws://${world.exit.domain}/chat`, ['one'], options as object);
    }

    for (const scheme of ['https', 'http'] as const) {
      it(`is a stream at the target, by ${scheme}`, async () => {
        let seen: IncomingHttpHeaders = {};
        onStream = (stream, headers) => accept(stream, (seen = headers));
        const client = await open(scheme);
        await once(client, 'open');
        expect(client.protocol).to.equal('one');
        expect(seen).to.include({
          ':method': 'CONNECT',
          ':protocol': 'websocket',
          ':path': '/chat',
          'sec-websocket-version': '13',
        });
        expect(seen).not.to.have.any.keys('sec-websocket-key', 'upgrade', 'connection');
        client.send('hello');
        expect(String((await once(client, 'message'))[0])).to.equal('hello');
        client.close();
        await once(client, 'close');
        await until(() => world.exit.streams === 0);
      });
    }

    it('is given up at the target when the client is gone', async () => {
      let at: ServerHttp2Stream | undefined;
      onStream = (stream, headers) => accept((at = stream), headers);
      const client = await open('https');
      await once(client, 'open');
      client.on('error', () => undefined).terminate();
      await until(() => at?.closed === true);
    });

    it('that the target refuses is an ordinary answer', async () => {
      onStream = (stream) => {
        stream.respond({ ':status': 403 });
        stream.end('not you');
      };
      const upgrade = ['-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket'];
      const { stdout } = await world.curl('-i', ...upgrade, world.http('/'));
      expect(stdout).to.match(/^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*not you$/);
    });

    it('toward a target that has none of them is answered with a hint', async () => {
      await stop();
      await start();
      onStream = () => expect.fail('it went out');
      const fields = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: eA=='];
      for (const way of ['https', 'http'] as const) {
        const { stdout } = await world.curl(
          ...['-w', '%{http_code}', ...fields.flatMap((field) => ['-H', field])],
          world[way]('/'),
        );
        expect(stdout).to.match(/^nws: the target takes no WebSockets .*RFC 8441.*\n502$/);
      }
    });
  });

  it('has an answer with a hint for an Upgrade to something else', async () => {
    onStream = () => expect.fail('it went out');
    const upgrade = ['-H', 'Connection: Upgrade', '-H', 'Upgrade: other/1'];
    for (const way of ['https', 'http'] as const) {
      const { stdout } = await world.curl('-w', '%{http_code}', ...upgrade, world[way]('/'));
      expect(stdout).to.match(/^nws: .* no Upgrade to other\/1 \(.*http:\/\/.*\)\n502$/);
    }
  });

  it('does not switch to h2c for a client, and answers', async () => {
    onStream = echo;
    const upgrade = ['-H', 'Connection: Upgrade, HTTP2-Settings', '-H', 'Upgrade: h2c'];
    expect((await world.curl(...upgrade, world.https('/'))).stdout).to.equal('GET / ');
  });
});
