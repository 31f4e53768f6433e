// `--tls terminate` with curl and with raw sockets, through an entry whose streams end at loopback servers.

import { once } from 'node:events';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { Server } from 'node:https';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { expect } from 'chai';
import { NwsError } from '../../../src/errors.js';
import type { ExitCertificate } from '../../../src/tls/certificate.js';
import { readAll } from '../../support/read-all.js';
import { listen, listenTcp, type Running } from '../../support/servers.js';
import { inRecords, padded } from '../../tls/hellos.js';
import { curl } from '../curl.js';
import { FakeExit, settled, TestEntry } from '../fixture.js';

/** Ways to leave that can be told from a client that only has nothing more to say. */
const LEAVINGS: Readonly<Record<string, (socket: Socket) => unknown>> = {
  resets: (socket) => socket.resetAndDestroy(),
  'leaves within a TLS handshake': (socket) => {
    const tls = connectTls({ socket }).on('error', () => undefined);
    socket.write('', () => setImmediate(() => tls.destroy()));
  },
};

describe('proxy: CONNECT to .nostr, terminating TLS', () => {
  let entry: TestEntry;
  let exit: FakeExit;
  let certificate: ExitCertificate;
  let site: Running<Server>;
  let requests: string[];

  beforeEach(async () => {
    entry = await TestEntry.start();
    exit = new FakeExit();
    certificate = await entry.certificateFor(exit);
    requests = [];
    site = await listen(
      createHttpsServer(certificate, (req, res) => {
        requests.push(`${req.method} ${req.url} ${req.headers.host}`);
        req.pipe(res);
        if (req.method === 'GET') res.end('hello');
      }),
    );
    entry.port = site.port;
    entry.events = [exit.publish(certificate)];
  });

  afterEach(async () => {
    await entry.close();
    await site.close();
  });

  const fetched = (...args: string[]) =>
    curl('--proxy', entry.url, '--cacert', entry.authority.path, ...args);

  it('serves curl, which verifies the name by the local CA', async () => {
    const { status, stdout, stderr } = await fetched(`https://${exit.host}/page`);
    expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: 'hello', stderr: '' });
    expect(requests).to.deep.equal([`GET /page ${exit.host}`]);
    expect(entry.opened).to.deep.equal([`${exit.host}:443`]);
  });

  it('carries uploads', async () => {
    const body = 'x'.repeat(100_000);
    const { stdout } = await fetched('-d', body, `https://${exit.host}/`);
    expect(stdout).to.equal(body);
  });

  it('leaves nothing open when the client is done', async () => {
    await fetched(`https://${exit.host}/`);
    await settled(() => entry.listener.connections + entry.streams.size + site.sockets.size);
  });

  it('serves an alias under its own name and sends the long name to the exit', async () => {
    await entry.close();
    entry = await TestEntry.start({
      port: site.port,
      aliases: new Map([['Shop.nostr', exit.host.toUpperCase()]]),
    });
    entry.events = [exit.publish(certificate)];
    const { stdout } = await fetched('https://shop.nostr:8443/');
    expect(stdout).to.equal('hello');
    expect(requests).to.deep.equal(['GET / shop.nostr:8443']);
    expect(entry.opened).to.deep.equal([`${exit.host}:8443`]);
  });

  it('answers 502 inside TLS when the exit serves another certificate, and sends it nothing', async () => {
    entry.events = [exit.publish(await entry.certificateFor(exit, 'other'))];
    const { status, stdout } = await fetched('-i', '-d', 'secret', `https://${exit.host}/`);
    expect(status).to.equal(0);
    const [head, body] = lastAnswer(stdout);
    expect(head).to.match(/^HTTP\/2 502 /);
    expect(head).to.match(
      /^proxy-status: nws; error=tls_certificate_error; details=".*certificate/im,
    );
    expect(body).to.match(/^nws: the exit serves certificate [0-9a-f]{64}, but .*\(.*\)\n$/);
    expect(requests).to.deep.equal([]);
    await settled(() => entry.streams.size + site.sockets.size);
  });

  it('shows a browser a page', async () => {
    entry.failure = new NwsError('exit_unreachable', 'nobody answers <here>', { hint: 'wait' });
    const { stdout } = await fetched('-i', '-H', 'Accept: text/html', `https://${exit.host}/`);
    const [head, body] = lastAnswer(stdout);
    expect(head)
      .to.match(/^HTTP\/2 504 /)
      .and.to.match(/^content-type: text\/html/im);
    expect(body).to.include('Nobody answers &#60;here&#62;.').and.to.include('Wait.');
  });

  it('believes a certificate that the exit has published since', async () => {
    const old = await entry.certificateFor(exit, 'old');
    entry.events = [exit.publish(old, 1_700_000_000)];
    expect(
      (await fetched('-o', '/dev/null', '-w', '%{http_code}', `https://${exit.host}/`)).stdout,
    ).to.equal('502');
    entry.events = [exit.publish(certificate)];
    expect((await fetched(`https://${exit.host}/`)).stdout).to.equal('hello');
  });

  it('tells the failure by HTTP/2 to a client that offers nothing else', async () => {
    entry.failure = new NwsError('connection_refused', 'the target is down');
    const socket = await entry.tunnelled(exit.host);
    const ca = entry.authority.pem;
    const tls = connectTls({ socket, servername: exit.host, ca, ALPNProtocols: ['h2'] });
    const session = connectHttp2(`https://${exit.host}`, { createConnection: () => tls });
    const stream = session.request({ ':path': '/' });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).to.equal(502);
    expect(headers['proxy-status']).to.match(/error=connection_refused/);
    expect(String(await readAll(stream))).to.equal('nws: the target is down\n');
    await once(session, 'close');
  });

  it('negotiates the protocol end to end', async () => {
    const { cert, key } = certificate;
    const http2 = await listen(
      createTlsServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) =>
        createHttp2Server((_req, res) => res.end('two')).emit('connection', socket),
      ),
    );
    entry.port = http2.port;
    const format = '%{http_version}';
    const { stdout } = await fetched('--http2', '-w', format, `https://${exit.host}/`);
    expect(stdout).to.equal('two2');
    entry.port = site.port;
    expect((await fetched('--http2', '-w', format, `https://${exit.host}/`)).stdout).to.equal(
      'hello1.1',
    );
    await http2.close();
  });

  it('passes TLS through untouched when the exit publishes no certificate', async () => {
    entry.events = [];
    const trusting = await fetched(`https://${exit.host}/`);
    expect(trusting.status).to.equal(60); // the exit's own certificate, which curl doesn't know
    expect((await fetched('-k', `https://${exit.host}/`)).stdout).to.equal('hello');
  });

  it('refuses an exit without a certificate event where settings require one', async () => {
    await entry.close();
    entry = await TestEntry.start({ port: site.port, requirePin: true });
    const { stdout } = await fetched('-i', `https://${exit.host}/`);
    expect(lastAnswer(stdout).join()).to.match(/^HTTP\/2 502 .*publishes no certificate/s);
    expect(requests).to.deep.equal([]);
  });

  it('ends the connection to the exit when the client does not trust the local CA', async () => {
    const { status } = await curl('--proxy', entry.url, `https://${exit.host}/`);
    expect(status).to.equal(60);
    await settled(() => entry.listener.connections + entry.streams.size + site.sockets.size);
  });

  for (const size of [100, 1_000, 16_384]) {
    it(`terminates TLS that begins with 60 KB in records of ${size} bytes`, async () => {
      const socket = await entry.tunnelled(exit.host);
      const near = await clientHello(exit.host);
      const bytes = inRecords(padded(near, 60_000), size);
      for (let at = 0; at < bytes.length; at += 9_999) {
        socket.write(bytes.subarray(at, at + 9_999));
        await new Promise(setImmediate);
      }
      const [answer] = (await once(socket, 'data')) as [Buffer];
      // A ServerHello with the local CA's leaf behind it: the exit has seen the proxy's own ClientHello alone.
      expect([answer[0], answer[5]]).to.deep.equal([22, 2]);
      socket.destroy();
      await settled(() => entry.listener.connections + entry.streams.size + site.sockets.size);
    });
  }

  for (const [what, bytes] of Object.entries({
    'an empty record': Buffer.from([22, 3, 1, 0, 0]),
    'another message than a ClientHello': Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0]),
    'a message of more than 64 KB': Buffer.from([22, 3, 1, 0x40, 0, 1, 1, 0, 1]),
  })) {
    it(`refuses what begins like TLS with ${what}, and passes none of it on`, async () => {
      let received = 0;
      const sink = await listenTcp((to) =>
        to.on('data', (data) => (received += data.length)).on('end', () => to.end()),
      );
      entry.port = sink.port;
      const socket = await entry.tunnelled(exit.host);
      socket.write(bytes);
      // An alert: decode_error, fatal (RFC 8446, section 6).
      expect([...(await readAll(socket))]).to.deep.equal([21, 3, 3, 0, 2, 2, 50]);
      socket.destroy();
      await settled(() => entry.listener.connections + entry.streams.size + sink.sockets.size);
      expect(received).to.equal(0);
      await sink.close();
    });
  }

  it('passes bytes that are no TLS, said before or after the stream is open, and half-closes', async () => {
    const echo = await listenTcp((socket) => socket.pipe(socket));
    entry.port = echo.port;
    const socket = await entry.tunnelled(exit.host, 22);
    socket.end('SSH-2.0-test\r\n');
    expect(String(await readAll(socket))).to.equal('SSH-2.0-test\r\n');
    await settled(() => entry.listener.connections + entry.streams.size + echo.sockets.size);
    await echo.close();
  });

  it('lets the server speak first', async () => {
    const greeter = await listenTcp((socket) => {
      socket.write('220 ready\r\n');
      socket.pipe(socket);
    });
    entry.port = greeter.port;
    const socket = await entry.tunnelled(exit.host, 25);
    const [greeting] = await once(socket, 'data');
    expect(String(greeting)).to.equal('220 ready\r\n');
    socket.end('QUIT\r\n');
    expect(String(await readAll(socket))).to.equal('QUIT\r\n');
    await greeter.close();
  });

  it('loses nothing of an upload whose client is done before the exit has read it', async () => {
    const sink = await listenTcp((socket) => socket.end('bye'));
    const received = once(sink.server, 'connection').then(([socket]) => readAll(socket));
    entry.port = sink.port;
    const socket = await entry.tunnelled(exit.host, 9);
    socket.resume().end(Buffer.alloc(3_000_000, 1));
    expect((await received).length).to.equal(3_000_000);
    await settled(() => entry.listener.connections + entry.streams.size);
    await sink.close();
  });

  it('resets a client that speaks no TLS when its stream can not be opened', async () => {
    entry.failure = new NwsError('connection_refused', 'the target is down');
    const socket = await entry.tunnelled(exit.host, 22);
    socket.write('SSH-2.0-test\r\n');
    const [error] = await once(socket.removeAllListeners('error'), 'error');
    expect(error.code).to.equal('ECONNRESET');
    await settled(() => entry.listener.connections);
  });

  for (const [how, leave] of Object.entries(LEAVINGS)) {
    it(`gives up everything when the client ${how} while the stream is being opened`, async () => {
      let open = (): void => undefined;
      entry.gate = new Promise((resolve) => {
        open = resolve;
      });
      const socket = await entry.tunnelled(exit.host);
      leave(socket);
      await settled(() => entry.listener.connections);
      open();
      await settled(() => entry.streams.size + site.sockets.size);
      expect(requests).to.deep.equal([]);
    });
  }

  it('answers a malformed name before 200', async () => {
    const socket = await entry.dial();
    socket.write('CONNECT nonsense.nostr:443 HTTP/1.1\r\n\r\n');
    const answer = String(await readAll(socket));
    expect(answer).to.match(/^HTTP\/1\.1 400 .*proxy-status: nws; error=http_request_error/is);
    expect(answer).to.include('nonsense');
    socket.end();
    await settled(() => entry.listener.connections);
  });
});

/** What a TLS client says first. */
async function clientHello(servername: string): Promise<Buffer> {
  const [near, far] = duplexPair();
  const tls = connectTls({ socket: near, servername: servername.slice(-63) });
  tls.on('error', () => undefined);
  const [bytes] = (await once(far, 'data')) as [Buffer];
  tls.destroy();
  return bytes;
}

/** Head and body of the answer behind CONNECT's 200. */
function lastAnswer(output: string): [head: string, body: string] {
  const parts = output.split('\r\n\r\n');
  return [parts.at(-2) ?? '', parts.at(-1) ?? ''];
}
