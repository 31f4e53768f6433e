// Upgrades over loopback: WebSocket, other protocols, refusals, and both sides leaving at any time.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';
import { endToEnd } from '../../src/http/headers.js';
import { replyFailureRaw } from '../../src/http/reply.js';
import { forwardUpgrade } from '../../src/http/upgrade.js';
import { type SpliceResult, splice } from '../../src/tunnel/duplex/splice.js';
import { readAll } from '../support/read-all.js';
import { listen, listenHttp, listenTcp, type Running } from '../support/servers.js';

describe('http/upgrade', () => {
  let front: Running<Server>;
  let origin: Running<Server | NetServer> | undefined;
  let dial: (signal: AbortSignal) => Promise<Duplex>;
  let results: SpliceResult[];

  beforeEach(async () => {
    results = [];
    dial = async () => {
      const socket = connect({ port: origin!.port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      return socket;
    };
    const server = createServer();
    server.on('upgrade', (req, socket, head) =>
      forwardUpgrade(req, socket, head, {
        connect: (signal) => dial(signal),
        path: req.url ?? '/',
        headers: endToEnd(req.rawHeaders),
        onUpgrade: (a, b) => splice(a, b, { onEnd: (result) => results.push(result) }),
        onError: (error) => replyFailureRaw(socket, error, req.headers.accept),
      }),
    );
    front = await listen(server);
  });

  afterEach(async () => {
    await front.close();
    await origin?.close();
    origin = undefined;
  });

  function upgrade(protocol: string, more = ''): Socket {
    const client = connect(front.port, '127.0.0.1');
    client.write(
      `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}`,
    );
    return client;
  }

  it('carries WebSocket messages both ways, and its close', async () => {
    const http = createServer();
    const echo = new WebSocketServer({ server: http, handleProtocols: () => 'v2' });
    echo.on('connection', (socket, req) => {
      socket.send(`hello ${req.url}`); // may come in one piece with the 101
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    origin = await listen(http);
    const client = new WebSocket(`ws://127.0.0.1:${front.port}/chat?x=1`, ['v1', 'v2']);
    expect(String((await once(client, 'message'))[0])).to.equal('hello /chat?x=1');
    expect(client.protocol).to.equal('v2');
    const large = Buffer.alloc(1_000_000, 'x');
    client.send(large);
    expect(Buffer.compare((await once(client, 'message'))[0] as Buffer, large)).to.equal(0);
    client.close(1001, 'bye');
    expect((await once(client, 'close'))[0]).to.equal(1001);
    echo.close();
  });

  it('carries any protocol, with bytes that come early from either side', async () => {
    origin = await listenTcp((socket) => {
      socket.once('data', (head) => {
        expect(head.toString()).to.match(/^GET \/chat HTTP\/1\.1\r\n/);
        expect(head.toString()).to.match(/\r\nUpgrade: telnet\r\n/);
        socket.write(
          'HTTP/1.1 101 Go\r\nUpgrade: telnet\r\nConnection: Upgrade\r\n\r\nserver first;',
        );
        socket.pipe(socket);
      });
    });
    const client = upgrade('telnet', '\r\nclient early;');
    client.end('and late');
    const [head, ...rest] = (await readAll(client)).toString().split('\r\n\r\n');
    expect(head).to.match(/^HTTP\/1\.1 101 /);
    expect(rest.join('')).to.equal('server first;client early;and late');
  });

  it('relays an answer other than 101 as an ordinary one, whatever its size', async () => {
    const body = Buffer.alloc(3_000_000, 'no ');
    origin = await listenHttp((_req, res) =>
      res.writeHead(403, { 'Content-Length': body.length, 'X-Why': 'rules' }).end(body),
    );
    const client = upgrade('websocket', '\r\n');
    const text = (await readAll(client)).toString();
    expect(text).to.match(/^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*X-Why: rules\r\n/);
    expect(text).to.contain('Connection: close\r\n');
    expect(text.endsWith(`\r\n\r\n${body}`)).to.equal(true);
    if (origin.sockets.size > 0) await once([...origin.sockets][0]!, 'close');
  });

  it('lets the caller answer when the origin cannot be reached, or says nothing of HTTP', async () => {
    dial = () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }));
    const refused = (await readAll(upgrade('websocket', '\r\n'))).toString();
    expect(refused).to.match(/^HTTP\/1\.1 502 [\s\S]*error=connection_refused/);
    for (const answer of ['SSH-2.0\r\n', '']) {
      origin = await listenTcp((socket) => socket.end(answer));
      dial = async () => connect({ port: origin!.port, host: '127.0.0.1' });
      const text = (await readAll(upgrade('websocket', '\r\n'))).toString();
      expect(text).to.match(/^HTTP\/1\.1 502 /);
      await origin.close();
    }
  });

  it('gives the way to the origin up when the client leaves while it is opened', async () => {
    let signal: AbortSignal | undefined;
    let onDial: () => void = () => undefined;
    const dialled = new Promise<void>((resolve) => (onDial = resolve));
    dial = (given) => {
      signal = given;
      onDial();
      return new Promise((_resolve, reject) => given.addEventListener('abort', reject));
    };
    const client = upgrade('websocket', '\r\n');
    await dialled;
    const aborted = once(signal!, 'abort');
    client.end();
    await aborted;
    await once(client, 'close');
  });

  it('leaves the origin when the client leaves while it waits for the answer', async () => {
    let onSocket: (socket: Socket) => void = () => undefined;
    const waiting = new Promise<Socket>((resolve) => (onSocket = resolve));
    origin = await listenTcp((socket) => socket.once('data', () => onSocket(socket)));
    const client = upgrade('websocket', '\r\n');
    const socket = await waiting;
    const gone = once(socket, 'end');
    client.destroy();
    await gone;
  });

  it('ends both sides when either breaks off after the 101', async () => {
    for (const side of ['client', 'origin'] as const) {
      let far: Socket | undefined;
      origin = await listenTcp((socket) => {
        far = socket;
        socket.once('data', () =>
          socket.write('HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
        );
      });
      const client = upgrade('x', '\r\n');
      client.on('error', () => undefined);
      await once(client, 'data');
      const closed = Promise.all([client, far!].map((s) => new Promise((r) => s.once('close', r))));
      (side === 'client' ? client : far!).resetAndDestroy();
      await closed;
      await origin.close();
    }
    expect(results.map(({ error }) => error?.code)).to.deep.equal([
      'connection_terminated',
      'connection_terminated',
    ]);
  });
});
