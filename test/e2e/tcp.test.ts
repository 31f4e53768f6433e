// A tcp:// exit through CONNECT: servers that speak first, half-closes, and the tools that people use for it.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { connect as connectTcp, type Socket } from 'node:net';
import { expect } from 'chai';
import { readAll } from '../support/read-all.js';
import { deadPort, listenTcp, type Running } from '../support/servers.js';
import { until } from '../support/until.js';
import { digest, generated } from './support/bytes.js';
import { has, outputOf, tool } from './support/tools.js';
import { World } from './support/world.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const GREETING = 'SSH-2.0-nws_test ready\r\n';

describe('a TCP service through the tunnel', function () {
  this.timeout(60_000);
  let target: Running<Server>;
  let onSocket: (socket: Socket) => void;
  let world: World;

  before(async () => {
    target = await listenTcp((socket) => onSocket(socket));
    world = await World.start({ target: `tcp://127.0.0.1:${target.port}` });
  });
  after(async () => {
    await world.close();
    await target.close();
  });
  beforeEach(() => {
    onSocket = (socket) => {
      socket.write(GREETING);
      socket.pipe(socket);
    };
  });
  afterEach(async () => {
    await world.quiet();
    await until(() => target.sockets.size === 0);
  });

  it('greets first, and echoes what the client answers', async () => {
    const socket = await world.connect();
    expect(String((await once(socket, 'data'))[0])).to.equal(GREETING);
    socket.end('QUIT\r\n');
    expect(String(await readAll(socket))).to.equal('QUIT\r\n');
  });

  it('takes bytes that came along with the CONNECT', async () => {
    const { hostname, port } = new URL(world.proxy.url);
    const socket = connectTcp({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.end(`CONNECT ${world.exit.domain}:22 HTTP/1.1\r\n\r\nhello`);
    expect(String(await readAll(socket))).to.match(
      /^HTTP\/1\.1 200 .*\r\n\r\nSSH-2.0.*\r\nhello$/s,
    );
  });

  it('passes on that one direction has ended, and keeps the other', async () => {
    onSocket = (socket) => {
      void readAll(socket).then((bytes) => socket.end(sha256(bytes)));
    };
    const socket = await world.connect();
    const answer = readAll(socket);
    generated(3_000_000).pipe(socket);
    const expected = await digest(generated(3_000_000));
    expect(String(await answer)).to.equal(expected.sha256);
  });

  it('resets the client where the target is dead', async () => {
    const other = await World.start({ target: `tcp://127.0.0.1:${await deadPort()}` });
    const socket = await other.connect();
    const [error] = await once(socket.removeAllListeners('error'), 'error');
    expect(error).to.include({ code: 'ECONNRESET' });
    await other.quiet();
    await other.close();
  });

  for (const way of has('nc', ['-h'], /-X proto/) ? ['connect', '5'] : []) {
    it(`works with nc -X ${way}`, async () => {
      const { host } = new URL(world.proxy.url);
      const nc = tool('nc', ['-N', '-X', way, '-x', host, world.exit.domain, '22']);
      await once(nc.stdout, 'readable');
      nc.stdin.end('hello\n');
      expect(await outputOf(nc)).to.include({ status: 0, stdout: `${GREETING}hello\n` });
    });

    if (has('ssh', ['-V'])) {
      it(`works with ssh and nc -X ${way} as its ProxyCommand`, async () => {
        let said = '';
        onSocket = (socket) => {
          socket.write(GREETING);
          socket.on('data', (data) => {
            said += data;
            // Once it has read the greeting it says more than its own. Then, as if sshd had died.
            if (/\n./s.test(said)) socket.resetAndDestroy();
          });
        };
        const { host } = new URL(world.proxy.url);
        const options = ['-F', 'none', '-v', '-o', `ProxyCommand=nc -X ${way} -x ${host} %h %p`];
        const { stderr } = await outputOf(tool('ssh', [...options, world.exit.domain]));
        expect(stderr).to.include('remote software version nws_test');
        expect(said).to.match(/^SSH-2\.0-/);
      });
    }
  }
});
