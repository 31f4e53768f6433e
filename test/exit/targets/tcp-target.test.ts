// Raw TCP targets behind streams in memory.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { parseTarget } from '../../../src/exit/targets/target.js';
import { TcpTarget } from '../../../src/exit/targets/tcp-target.js';
import { fakeIncoming } from '../../support/incoming.js';
import { readAll } from '../../support/read-all.js';
import { deadPort, listenTcp } from '../../support/servers.js';

const log = pino({ level: 'silent' });
const targetAt = (port: number): TcpTarget =>
  new TcpTarget({ target: parseTarget(`tcp://127.0.0.1:${port}`), log });

describe('exit/tcp-target', () => {
  it('accepts when the target is connected, and lets a server speak first', async () => {
    const running = await listenTcp((socket) => {
      socket.write('SSH-2.0-test\r\n');
      void readAll(socket).then((bytes) => socket.end(bytes));
    });
    const { incoming, client, accepted } = fakeIncoming();
    targetAt(running.port).serve(incoming);
    await accepted;
    expect(String((await once(client, 'data'))[0])).to.equal('SSH-2.0-test\r\n');
    client.end('half-closed');
    expect((await readAll(client)).toString()).to.equal('half-closed');
    await running.close();
  });

  it('refuses the stream with the reason when the target is dead', async () => {
    const { incoming, refused } = fakeIncoming();
    targetAt(await deadPort()).serve(incoming);
    expect((await refused).code).to.equal('connection_refused');
  });

  it('gives the connection up when the entry does', async () => {
    const running = await listenTcp(() => undefined);
    const { incoming, refused, giveUp } = fakeIncoming();
    targetAt(running.port).serve(incoming);
    giveUp();
    expect((await refused).code).to.equal('connection_terminated');
    await running.close();
  });

  it('does not keep a connection when the stream can no longer be accepted', async () => {
    let onSocket: (socket: Socket) => void = () => undefined;
    const arrived = new Promise<Socket>((resolve) => (onSocket = resolve));
    const running = await listenTcp((socket) => onSocket(socket));
    const { incoming, refused } = fakeIncoming();
    const accept = (): never => {
      throw new Error('the peer has left');
    };
    targetAt(running.port).serve({ ...incoming, accept });
    await once((await arrived).resume(), 'end');
    expect((await refused).message).to.equal('the peer has left');
    await running.close();
  });

  it('lets streams end while it closes, and resets what is left at the end of the grace', async () => {
    const running = await listenTcp((socket) => void socket.resume());
    const target = targetAt(running.port);
    await target.close(0); // nothing to wait for
    const open = targetAt(running.port);
    const { incoming, client, accepted } = fakeIncoming();
    open.serve(incoming);
    await accepted;
    const failed = once(client, 'error');
    await open.close(20);
    expect((await failed)[0]).to.include({ code: 'connection_terminated' });
    await running.close();
  });
});
