// A server in the exit's own process, reached by the exit's name: no port, and all that HTTP has.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { expect } from 'chai';
import { fetch } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';
import type { Handler } from '../../src/index.js';
import { expectRejection } from '../proxy/expect-rejection.js';
import { readAll } from '../support/read-all.js';
import { until } from '../support/until.js';
import { Library } from './library.js';

describe('the library: a handler in the exit’s process', () => {
  let library: Library;

  beforeEach(async () => {
    library = await Library.start();
  });
  afterEach(() => library.close());

  const serve = (handler: Handler): Promise<void> => library.exit.serve(handler);
  const get = (path: string, init: Parameters<typeof fetch>[1] = {}) =>
    fetch(`https://${library.exit.domain}${path}`, { dispatcher: library.dispatcher, ...init });

  it('is a function from Request to Response, with bodies both ways', async () => {
    await serve(async (request) => {
      const { method, headers } = request;
      const from = headers.get('x-nostr-entry');
      return Response.json({ method, url: request.url, from, text: await request.text() });
    });
    const answer = await get('/a?b=c', { method: 'POST', body: 'text' });
    const { from, ...rest } = (await answer.json()) as Record<string, string>;
    const url = `https://${library.exit.domain}/a?b=c`;
    expect(rest).to.deep.equal({ method: 'POST', url, text: 'text' });
    expect(from).to.match(/^[0-9a-f]{64}$/);
    const plain = await fetch(`http://${library.exit.domain}/`, { dispatcher: library.dispatcher });
    expect(await plain.json()).to.include({ url: `http://${library.exit.domain}/` });
  });

  it('answers with status, fields and cookies of its own, and to HEAD without a body', async () => {
    await serve(() => {
      const headers = new Headers({ 'x-own': 'yes' });
      headers.append('set-cookie', 'a=1');
      headers.append('set-cookie', 'b=2');
      return new Response('body', { status: 418, headers });
    });
    const answer = await get('/');
    expect([answer.status, answer.headers.get('x-own')]).to.deep.equal([418, 'yes']);
    expect(answer.headers.getSetCookie()).to.deep.equal(['a=1', 'b=2']);
    const head = await get('/', { method: 'HEAD' });
    expect([head.status, await head.text()]).to.deep.equal([418, '']);
  });

  it('streams, and hears when the client leaves', async () => {
    let signal: AbortSignal | undefined;
    let cancelled = false;
    await serve((request) => {
      signal = request.signal;
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('data: first\n\n')),
        cancel: () => {
          cancelled = true;
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    });
    const leave = new AbortController();
    const { body } = await get('/events', { signal: leave.signal });
    const { value } = await body!.getReader().read();
    expect(new TextDecoder().decode(value)).to.equal('data: first\n\n');
    expect(signal!.aborted).to.equal(false);
    leave.abort();
    await until(() => signal!.aborted && cancelled);
  });

  it('that throws answers 500 and goes on; one that breaks off is an error at the client', async () => {
    const warned = once(process, 'warning');
    let breakOff = (): void => undefined;
    await serve((request) => {
      if (request.url.endsWith('/thrown')) throw new Error('of its own');
      if (request.url.endsWith('/fine')) return new Response('fine');
      return new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(Buffer.alloc(1_000));
            breakOff = () => controller.error(new Error('half way'));
          },
        }),
      );
    });
    expect((await get('/thrown')).status).to.equal(500);
    expect(String((await warned)[0])).to.match(/handler has failed: Error: of its own\n +at /);
    const reader = (await get('/broken')).body!.getReader();
    expect((await reader.read()).value).to.have.length(1_000);
    breakOff();
    expect(await reader.read().catch((error: unknown) => error)).to.be.instanceOf(TypeError);
    expect(await (await get('/fine')).text()).to.equal('fine');
  });

  it('has the URL that was asked for, whatever a path begins with', async () => {
    await serve(({ url }) => new Response(url));
    for (const path of ['//evil.example/x', '/a?b=//c', '/%2e%2e/x']) {
      const head = `GET ${path} HTTP/1.1\r\nHost: a.nostr\r\nConnection: close\r\n\r\n`;
      expect(await library.raw(head)).to.include(
        `http://a.nostr${path === '/%2e%2e/x' ? '/x' : path}`,
      );
    }
    const answer = await library.raw(
      'OPTIONS * HTTP/1.1\r\nHost: a.nostr\r\nConnection: close\r\n\r\n',
    );
    expect(answer).to.include('http://a.nostr/');
  });

  it('answers 400 to what no Request can be', async () => {
    let calls = 0;
    await serve(() => new Response(String((calls += 1))));
    for (const host of ['evil/path?', 'user@evil', 'a b']) {
      const head = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      expect(await library.raw(head)).to.match(/^HTTP\/1\.1 400 /);
    }
    const answer = await library.raw(
      'TRACE / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
    );
    expect(answer).to.match(/^HTTP\/1\.1 400 /);
    expect(calls).to.equal(0);
  });

  it('is an http.Server that does not listen, with keep-alive and WebSockets', async () => {
    const server = createServer((req, res) => void echo(req, res));
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}!`)));
    let connections = 0;
    server.on('connection', () => (connections += 1));
    await serve(server);
    for (const path of ['/one', '/two'])
      expect(await (await get(path)).text()).to.equal(`GET ${path} `);
    expect([connections, server.listening]).to.deep.equal([1, false]);
    const posted = await get('/', { method: 'POST', body: 'three' });
    expect(await posted.text()).to.equal('POST / three');
    const socket = new WebSocket(`wss://${library.exit.domain}/`, { agent: library.agent });
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).to.equal('hello!');
    socket.close();
    await once(socket, 'close');
    sockets.close();
  });

  it('that is an http.Server and throws does so on its own, not into a stream', async () => {
    const thrown = new Error('of the listener');
    await serve(
      createServer(() => {
        throw thrown;
      }),
    );
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const caught = once(process, 'uncaughtException');
    const leave = new AbortController();
    const going = get('/', { signal: leave.signal }).catch((error: unknown) => error);
    expect((await caught)[0]).to.equal(thrown);
    for (const listener of listeners) process.on('uncaughtException', listener);
    leave.abort();
    await going;
  });

  it('carries megabytes both ways, as fast as they are taken', async () => {
    await serve(async (request) => new Response(request.body));
    const sent = Buffer.alloc(3_000_000, 'nws ');
    const answer = await get('/', { method: 'POST', body: sent });
    expect(Buffer.from(await answer.arrayBuffer()).equals(sent)).to.equal(true);
  });

  async function refused(serving: Promise<void>, code: string, message: RegExp): Promise<void> {
    const error = await expectRejection(serving);
    expect(error.code).to.equal(code);
    expect(error.message).to.match(message);
  }

  it('is given once, is something that can serve, and not to an exit with a target', async () => {
    const app = { use: () => undefined } as unknown as Handler;
    await refused(serve(app), 'bad_config', /http\.Server or a function/);
    const secure = createSecureServer() as unknown as Server;
    await refused(serve(secure), 'bad_config', /http\.Server or a function/);
    await serve(() => new Response('first'));
    await refused(
      serve(() => new Response('second')),
      'bad_config',
      /already/,
    );
    expect(await (await get('/')).text()).to.equal('first');
    const other = await library.startExit({ target: 'http://127.0.0.1:1' });
    await refused(
      other.serve(() => new Response()),
      'bad_config',
      /already/,
    );
    const closed = await library.startExit({});
    await closed.close(0);
    await refused(
      closed.serve(() => new Response()),
      'shutting_down',
      /closed/,
    );
  });
});

async function echo(req: IncomingMessage, res: ServerResponse): Promise<void> {
  res.end(`${req.method} ${req.url} ${await readAll(req)}`);
}
