// The reverse listener over real TCP: who gets a stream, who gets nothing, and what a flood can't do.

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { presentKey } from '../../../src/tunnel/reverse/dial.js';
import { networkOf } from '../../../src/tunnel/reverse/waiting.js';
import { errorOf, expectError } from '../../support/expect-error.js';
import { readAll } from '../../support/read-all.js';
import { listenTcp } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { bytesUntilClose, newKey, newSecret, Scene, type SceneOptions } from './support.js';

describe('the reverse listener', () => {
  const scenes: Scene[] = [];
  const start = async (options: SceneOptions = {}): Promise<Scene> => {
    const scene = await Scene.start(options);
    scenes.push(scene);
    return scene;
  };
  afterEach(() => Promise.all(scenes.splice(0).map((scene) => scene.close())));

  /** Presents a key by hand; resolves with what comes back before the connection is closed. */
  const bytesFor = async (scene: Scene, key: string): Promise<string> => {
    const socket = await scene.dial();
    socket.write(key);
    return (await bytesUntilClose(socket)).toString('hex');
  };

  it('makes the connection that presents an expected key the stream', async () => {
    const scene = await start();
    const { entry, exit } = await scene.pair();
    entry.end('request');
    expect((await readAll(exit)).toString()).to.equal('request');
    exit.end('the answer after the half-close');
    expect((await readAll(entry)).toString()).to.equal('the answer after the half-close');
    expect(scene.listener.counts).to.include({ accepted: 1, waiting: 0, expected: 0 });
  });

  it('answers with the one byte, and keeps what comes right behind the key', async () => {
    const scene = await start();
    const key = newKey();
    const expected = scene.listener.expect(key);
    const socket = await scene.dial();
    socket.end(`${key}early bytes`);
    const entry = await expected;
    entry.end('x');
    expect((await readAll(entry)).toString()).to.equal('early bytes');
    expect((await readAll(socket)).toString('hex')).to.equal('0178');
  });

  it('takes a key that comes in pieces', async () => {
    const scene = await start();
    const key = newKey();
    const expected = scene.listener.expect(key);
    const socket = await scene.dial();
    socket.write(key.slice(0, 20));
    await until(() => scene.listener.counts.waiting === 1);
    socket.write(key.slice(20));
    await expected;
    expect((await once(socket, 'data'))[0]).to.deep.equal(Buffer.of(1));
  });

  it('tells streams apart by their keys', async () => {
    const scene = await start();
    const pairs = await Promise.all(Array.from({ length: 100 }, () => scene.pair(newSecret())));
    const answers = pairs.map(async ({ entry, exit }, index) => {
      entry.end(`stream ${index}`);
      return (await readAll(exit)).toString();
    });
    expect(await Promise.all(answers)).to.deep.equal(pairs.map((_, index) => `stream ${index}`));
  });

  it('works over IPv6, and over both on the unspecified address', async () => {
    const six = await start({ host: '::1' });
    expect(six.listener.address.host).to.equal('::1');
    await six.pair(newSecret());
    const both = await start({ host: '::' });
    await both.pair(newSecret(), await both.dial({ host: '127.0.0.1' }));
    await both.pair(newSecret(), await both.dial({ host: '::1' }));
    expect(both.listener.counts.accepted).to.equal(2);
  });

  it('closes wrong, foreign, used and late keys without a byte', async () => {
    const scene = await start();
    const other = await start();
    const foreign = newKey();
    const theirs = other.listener.expect(foreign);
    expect(await bytesFor(scene, newKey())).to.equal('');
    expect(await bytesFor(scene, foreign)).to.equal('');
    await Promise.all([theirs, presentKey(await other.dial(), foreign)]);

    const used = newKey();
    await Promise.all([scene.listener.expect(used), presentKey(await scene.dial(), used)]);
    expect(await bytesFor(scene, used)).to.equal('');

    const late = newKey();
    const error = await errorOf(() => scene.listener.expect(late, { timeoutMs: 5 }));
    expect(error.code).to.equal('reverse_unreachable');
    expect(error.hint).to.match(/--public-address/);
    expect(await bytesFor(scene, late)).to.equal('');
    expect(scene.listener.counts.refused.unknown_key).to.equal(4);
    expect(scene.listener.counts).to.include({ accepted: 1, waiting: 0, expected: 0 });
  });

  it('gives a key to the first that comes, and nothing to a second at the same time', async () => {
    const scene = await start();
    const key = newKey();
    const expected = scene.listener.expect(key);
    const sockets = await Promise.all([scene.dial(), scene.dial(), scene.dial()]);
    const results = await Promise.allSettled(sockets.map((socket) => presentKey(socket, key)));
    await expected;
    expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    for (const result of results) {
      if (result.status === 'rejected') expectError('reverse_unreachable', () => raise(result));
    }
  });

  it('closes who is too slow, says half a key, or speaks another protocol', async () => {
    const scene = await start({ limits: { presentMs: 30 } });
    const slow = await scene.dial();
    slow.write('half a key');
    expect(await bytesUntilClose(slow)).to.have.length(0);
    const half = await scene.dial();
    half.end('half a key');
    expect(await bytesUntilClose(half)).to.have.length(0);
    const browser = await scene.dial();
    browser.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    expect(await bytesUntilClose(browser)).to.have.length(0);
    const gone = await scene.dial();
    gone.resetAndDestroy();
    const { counts } = scene.listener;
    expect(counts.refused).to.include({ too_slow: 1, unknown_key: 1 });
    await until(() => scene.listener.counts.refused.closed_early === 2);
    expect(scene.listener.counts.open).to.equal(0);
  });

  it('gives up on a signal, before and while it waits', async () => {
    const { listener } = await start();
    const abort = new AbortController();
    const key = newKey();
    const waiting = errorOf(() => listener.expect(key, { signal: abort.signal }));
    await until(() => listener.counts.expected === 1);
    abort.abort();
    expect((await waiting).code).to.equal('connection_terminated');
    const late = await errorOf(() => listener.expect(key, { signal: abort.signal }));
    expect(late.code).to.equal('connection_terminated');
    expect(listener.counts.expected).to.equal(0);
  });

  it('expects a key only once at a time, and so many at most', async () => {
    const { listener } = await start({ limits: { maxExpected: 2 } });
    const abort = new AbortController();
    const { signal } = abort;
    const key = newKey();
    const held = [key, newKey()].map((each, index) => {
      const error = errorOf(() => listener.expect(each, { signal }));
      expect(listener.counts.expected).to.equal(index + 1);
      return error;
    });
    expect((await errorOf(() => listener.expect(key))).code).to.equal('proxy_internal_error');
    expect((await errorOf(() => listener.expect(newKey()))).code).to.equal('reverse_unreachable');
    abort.abort();
    await Promise.all(held);
  });

  describe('in a flood', () => {
    it('lets an honest stream through two hundred connections of garbage', async () => {
      const lines: string[] = [];
      const scene = await start({ onLog: (line) => lines.push(line) });
      const { entry, exit } = await scene.pair(newSecret());
      const flood = Array.from({ length: 200 }, async (_, index) => {
        const socket = await scene.dial();
        socket.write(index % 2 ? newKey() : Buffer.alloc(10_000, index));
        return (await bytesUntilClose(socket)).length;
      });
      await scene.pair(newSecret());
      expect((await Promise.all(flood)).filter((length) => length > 0)).to.deep.equal([]);
      const { refused } = scene.listener.counts;
      expect(refused.unknown_key + refused.crowded + refused.closed_early).to.equal(200);
      // A line a second at most, however slow this machine is.
      expect(lines.length).to.be.within(1, 20);
      // The stream from before did not notice.
      entry.end('still there');
      expect((await readAll(exit)).toString()).to.equal('still there');
    });

    it('bounds the idle ones of an address by its own longest wait, and spares the others', async () => {
      const scene = await start({
        host: '::',
        limits: { maxWaiting: 20, maxWaitingPerAddress: 4 },
      });
      const honest = await scene.dial({ host: '::1' });
      await until(() => scene.listener.counts.waiting === 1);
      for (let index = 0; index < 40; index += 1) await scene.dial({ host: '127.0.0.1' });
      await until(() => scene.listener.counts.refused.crowded === 36);
      await until(() => scene.listener.counts.open === 5);
      expect(scene.listener.counts.waiting).to.equal(5);
      await scene.pair(newSecret(), honest);
      // One more from the flooding address itself comes through, too.
      await scene.pair(newSecret(), await scene.dial({ host: '127.0.0.1' }));
    });

    it('bounds the idle ones of all, at the cost of the address that has the most', async () => {
      const scene = await start({ host: '::', limits: { maxWaiting: 8, maxWaitingPerAddress: 8 } });
      const honest = await scene.dial({ host: '::1' });
      await until(() => scene.listener.counts.waiting === 1);
      for (let index = 0; index < 7; index += 1) await scene.dial({ host: '127.0.0.1' });
      await until(() => scene.listener.counts.waiting === 8);
      const second = await scene.dial({ host: '::1' });
      await until(() => scene.listener.counts.refused.crowded === 1);
      expect(scene.listener.counts.waiting).to.equal(8);
      await scene.pair(newSecret(), honest);
      await scene.pair(newSecret(), second);
    });
  });

  describe('when it is closed', () => {
    it('ends everything and leaves nothing behind', async () => {
      const scene = await start();
      const { listener } = scene;
      const pairs = [await scene.pair(newSecret()), await scene.pair()];
      const idle = await scene.dial();
      await until(() => listener.counts.waiting === 1);
      const expected = errorOf(() => listener.expect(newKey()));
      const ends = pairs.flatMap(({ entry, exit }) => [entry, exit].map(bytesUntilClose));
      await listener.close();
      expect((await expected).code).to.equal('shutting_down');
      await Promise.all([...ends, bytesUntilClose(idle)]);
      for (const { entry, exit } of pairs) {
        for (const stream of [entry, exit]) expect(stream.readableEnded).to.equal(false);
      }
      expect(listener.counts).to.include({ waiting: 0, expected: 0, open: 0 });
      expect((await errorOf(() => listener.expect(newKey()))).code).to.equal('shutting_down');
    });

    it('lets streams end by themselves while there is grace', async () => {
      const scene = await start();
      const { entry, exit } = await scene.pair(newSecret());
      const closed = scene.listener.close(60_000);
      entry.end('last words');
      exit.end();
      entry.resume();
      expect((await readAll(exit)).toString()).to.equal('last words');
      await closed;
    });
  });

  it('says which address it can not listen on', async () => {
    const { listener } = await start();
    const taken = Scene.start({ port: listener.address.port });
    const error = await errorOf(() => taken);
    expect(error.code).to.equal('address_in_use');
    expect(error.line).to.match(/--reverse-listen/);
    expect((await errorOf(() => Scene.start({ host: '192.0.2.1' }))).code).to.equal('bad_config');
  });
});

describe('the network that a connection counts for', () => {
  it('is an IPv4 address in any form, or an IPv6 /64', () => {
    expect(networkOf('192.0.2.1')).to.equal(networkOf('::ffff:192.0.2.1'));
    expect(networkOf('192.0.2.1')).not.to.equal(networkOf('192.0.2.2'));
    expect(networkOf('2001:db8:1:2::1')).to.equal(networkOf('2001:db8:1:2:ffff::'));
    expect(networkOf('2001:db8:1:2::1')).not.to.equal(networkOf('2001:db8:1:3::1'));
    expect(networkOf('fe80::1%eth0')).to.equal(networkOf('fe80::2%eth0'));
  });
});

describe('presentKey', () => {
  it('fails when the answer is no answer, none at all, or an end', async () => {
    const answers = ['HTTP/1.1 400', '\x02', '', undefined];
    const running = await listenTcp((socket) => {
      const answer = answers.shift();
      if (answer === '') socket.end();
      else if (answer !== undefined) socket.write(answer);
    });
    for (const reason of [/another protocol/, /another protocol/, /closed/, /does not answer/]) {
      const socket = connect(running.port, '127.0.0.1');
      const error = await errorOf(() => presentKey(socket, newKey(), undefined, { timeoutMs: 50 }));
      expect(error.code).to.equal('reverse_unreachable');
      expect(error.message).to.match(reason);
      expect(socket.destroyed).to.equal(true);
    }
    await running.close();
  });
});

function raise({ reason }: PromiseRejectedResult): never {
  throw reason;
}
