// Reaching relays through an upstream proxy: which URL takes which way, and that it is really taken.
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { agentForEnv } from '../../../src/relay/connection/proxy-agent.js';
import { MemoryRelay } from '../../../src/relay/embedded/memory-relay.js';
import { WebSocketLink } from '../../../src/relay/link.js';
import { openLink, publish, signed, silentLog } from '../helpers.js';

describe('upstream proxy for relays: choice', () => {
  const proxyOf = (env: Record<string, string>, url: string): string | undefined => {
    const agent = agentForEnv(env)(url) as HttpProxyAgent<string> | undefined;
    return agent?.proxy.host;
  };
  const env = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://secure:2' };

  it('follows the scheme', () => {
    expect(proxyOf(env, 'ws://relay.example')).to.equal('plain:1');
    expect(proxyOf(env, 'http://relay.example')).to.equal('plain:1');
    expect(proxyOf(env, 'wss://relay.example')).to.equal('secure:2');
    expect(proxyOf(env, 'https://relay.example')).to.equal('secure:2');
    expect(proxyOf({}, 'wss://relay.example')).to.equal(undefined);
  });

  it('prefers lower case, falls back to ALL_PROXY, and takes a bare host:port', () => {
    expect(proxyOf({ ...env, https_proxy: 'low:3' }, 'wss://relay.example')).to.equal('low:3');
    expect(proxyOf({ ALL_PROXY: 'http://all:4' }, 'ws://relay.example')).to.equal('all:4');
    expect(proxyOf({ ALL_PROXY: 'http://all:4', ...env }, 'ws://r.example')).to.equal('plain:1');
  });

  it('tunnels WebSockets of both kinds, and plain HTTP alone goes without a tunnel', () => {
    const agentFor = agentForEnv(env);
    expect(agentFor('ws://relay.example')).to.be.instanceOf(HttpsProxyAgent);
    expect(agentFor('wss://relay.example')).to.be.instanceOf(HttpsProxyAgent);
    expect(agentFor('http://relay.example')).to.be.instanceOf(HttpProxyAgent);
    expect(agentFor('wss://a.example')).to.equal(agentFor('wss://b.example'));
  });

  it('reaches loopback directly', () => {
    const loopback = ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]'];
    for (const host of loopback)
      expect(proxyOf(env, `ws://${host}:7777`), host).to.equal(undefined);
    expect(proxyOf(env, 'ws://128.0.0.1')).to.equal('plain:1');
  });

  it('honours NO_PROXY', () => {
    const direct = (rules: string, url: string): boolean =>
      proxyOf({ ...env, NO_PROXY: rules }, url) === undefined;
    expect(direct('*', 'wss://relay.example')).to.equal(true);
    expect(direct('other.example, relay.example', 'wss://relay.example')).to.equal(true);
    expect(direct('.example', 'wss://relay.example')).to.equal(true);
    expect(direct('*.EXAMPLE', 'wss://relay.example')).to.equal(true);
    expect(direct('lay.example', 'wss://relay.example')).to.equal(false);
    expect(direct('relay.example:443', 'wss://relay.example')).to.equal(true);
    expect(direct('relay.example:444', 'wss://relay.example')).to.equal(false);
    expect(direct('10.0.0.0/8', 'ws://10.1.2.3:7777')).to.equal(true);
    expect(direct('10.0.0.0/8', 'ws://11.1.2.3:7777')).to.equal(false);
    expect(direct('10.0.0.0/8', 'ws://ten.example')).to.equal(false);
    expect(direct('10.1.2.3', 'ws://10.1.2.3:7777')).to.equal(true);
    expect(direct('fd00::1', 'ws://[fd00::1]:7777')).to.equal(true);
    expect(direct('[fd00::1]:7777', 'ws://[fd00::1]:7777')).to.equal(true);
    expect(direct('fd00::/8', 'ws://[fd00::1]:7777')).to.equal(true);
  });

  it('refuses a proxy of another kind without repeating it, and only where it is needed', () => {
    const agentFor = agentForEnv({
      ALL_PROXY: 'socks5://user:secret@proxy',
      NO_PROXY: 'near.example',
    });
    expect(() => agentFor('wss://relay.example'))
      .to.throw(/^the upstream proxy is not/)
      .that.satisfies((error: Error) => !JSON.stringify(error).includes('secret'));
    expect(agentFor('wss://near.example')).to.equal(undefined);
  });
});

describe('upstream proxy for relays: the way', () => {
  let proxy: Server;
  let relay: MemoryRelay;
  const connects: string[] = [];
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    relay = await MemoryRelay.start({ maxEventBytes: 30_000 });
    connects.length = 0;
    const port = Number(new URL(relay.url).port);
    // Whatever the name, behind this proxy there is one relay.
    proxy = createServer((incoming, response) => {
      connects.push(`${incoming.method} ${incoming.url}`);
      const { method, headers } = incoming;
      request({ port, method, headers, agent: false }, (answer) => answer.pipe(response)).end();
    });
    proxy.on('connect', (incoming, socket: Socket) => {
      connects.push(`CONNECT ${incoming.url}`);
      const upstream = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      for (const end of [socket, upstream]) {
        sockets.add(end);
        end.on('error', () => end.destroy());
      }
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
    await relay.close();
  });

  it('carries the WebSocket through CONNECT and the NIP-11 document as a plain request', async () => {
    const { port } = proxy.address() as AddressInfo;
    const agentFor = agentForEnv({ HTTP_PROXY: `http://127.0.0.1:${port}` });
    const link = await openLink('ws://relay.invalid:7777', { agentFor });
    expect((await publish(link, signed({ kind: 1 }))).ok).to.equal(true);
    while (link.eventLimitBytes !== 30_000) await new Promise((resolve) => setImmediate(resolve));
    await link.close();
    expect(connects).to.deep.equal([
      'CONNECT relay.invalid:7777',
      'GET http://relay.invalid:7777/',
    ]);
  });

  it('says so when the proxy refuses', async () => {
    proxy.removeAllListeners('connect');
    proxy.on('connect', (_incoming, socket: Socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'),
    );
    const { port } = proxy.address() as AddressInfo;
    const agentFor = agentForEnv({ HTTP_PROXY: `http://127.0.0.1:${port}` });
    const link = new WebSocketLink({ url: 'ws://relay.invalid', agentFor, log: silentLog });
    const [reason] = await once(link, 'unreachable');
    await link.close();
    expect(reason).to.contain('403');
  });
});
