// Connecting to names with several addresses: an attempt isn't ended because the next one begins.

import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { expect } from 'chai';
import { connectHost, inTurn } from '../../src/common/connect-host.js';
import { deadPort, listenTcp } from '../support/servers.js';
import { until } from '../support/until.js';

const [FIRST, SECOND] = ['2001:db8::1', '192.0.2.1'];

describe('common/connect-host', () => {
  const { signal } = new AbortController();
  const options = { host: 'relay.example', port: 443, signal };
  const resolve = async (): Promise<string[]> => [FIRST, SECOND];

  it('takes a slow path where the other one fails', async () => {
    const running = await listenTcp(() => undefined);
    const dead = await deadPort();
    // Answers when the second attempt has failed, which begins a quarter of a second behind the first.
    const slow = new Socket();
    const connectTo = (address: string): Socket => {
      if (address === FIRST) return slow;
      const other = connect(dead, '127.0.0.1');
      other.once('close', () => slow.connect(running.port, '127.0.0.1'));
      return other;
    };
    const socket = await connectHost({ ...options, resolve, connect: connectTo });
    expect(socket).to.equal(slow);
    socket.destroy();
    await running.close();
  });

  it('takes the first that answers, and ends the others', async () => {
    const running = await listenTcp(() => undefined);
    const never = new Socket();
    const connectTo = (address: string): Socket =>
      address === FIRST ? never : connect(running.port, '127.0.0.1');
    const socket = await connectHost({ ...options, resolve, connect: connectTo });
    expect(never.destroyed).to.equal(true);
    expect(socket.destroyed).to.equal(false);
    socket.destroy();
    await running.close();
  });

  it('gives the error of the first address where all fail, and of the resolver', async () => {
    const port = await deadPort();
    const failed = (act: Promise<unknown>): Promise<NodeJS.ErrnoException> =>
      act.then(
        () => expect.fail('it connected'),
        (error) => error,
      );
    const error = await failed(connectHost({ host: 'localhost', port, signal }));
    expect(error.code).to.equal('ECONNREFUSED');
    const none = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const refused = connectHost({ ...options, resolve: () => Promise.reject(none) });
    expect(await failed(refused)).to.equal(none);
  });

  it('ends with its signal, while it resolves and while it connects', async () => {
    const sockets: Socket[] = [];
    const connectTo = (): Socket => {
      sockets.push(new Socket());
      return sockets.at(-1)!;
    };
    for (const resolving of [resolve, () => new Promise<never>(() => undefined)]) {
      const leave = new AbortController();
      const waiting = connectHost({
        ...options,
        ...{ resolve: resolving, connect: connectTo, signal: leave.signal },
      });
      const outcome = waiting.catch((error: unknown) => error);
      await until(() => resolving !== resolve || sockets.length > 0);
      const reason = new Error('left');
      leave.abort(reason);
      expect(await outcome).to.equal(reason);
    }
    expect(sockets.every(({ destroyed }) => destroyed)).to.equal(true);
  });

  it('connects for real', async () => {
    const running = await listenTcp((socket) => socket.end('hello'));
    const socket = await connectHost({ host: 'localhost', port: running.port, signal });
    expect(String((await once(socket, 'data'))[0])).to.equal('hello');
    socket.destroy();
    await running.close();
  });

  it('tries the families in turn', () => {
    expect(inTurn(['::1', '::2', '::1', '10.0.0.1'])).to.deep.equal(['::1', '10.0.0.1', '::2']);
  });
});
