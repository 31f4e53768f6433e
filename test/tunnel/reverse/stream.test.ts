// A reverse connection as a stream: bulk, halves and backpressure through TLS, and cuts that must not look like ends.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { abortConnection } from '../../../src/common/abort-connection.js';
import { splice } from '../../../src/tunnel/duplex/splice.js';
import { duplexPair } from '../../support/duplex-pair.js';
import { readAll } from '../../support/read-all.js';
import { listenTcp } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { Middle, newSecret, Scene } from './support.js';

describe('a reverse connection', () => {
  const closing: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(item: T): T => {
    closing.push(item);
    return item;
  };
  const start = async (): Promise<Scene> => keep(await Scene.start());
  afterEach(async () => {
    for (const item of closing.splice(0).reverse()) await item.close();
  });

  describe('as a stream', () => {
    const MEGABYTES = 50;
    const block = randomBytes(1024 * 1024);
    const blocks = (): Readable => Readable.from(Array.from({ length: MEGABYTES }, () => block));
    const hashOf = async (readable: Readable): Promise<string> => {
      const hash = createHash('sha256');
      let length = 0;
      readable.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        length += chunk.length;
      });
      await once(readable, 'end');
      return `${length} ${hash.digest('hex')}`;
    };

    for (const kind of ['TLS', 'bare']) {
      it(`carries ${MEGABYTES} MB each way through splice, with a half-close: ${kind}`, async () => {
        const scene = await start();
        const { entry, exit } = await scene.pair(kind === 'TLS' ? newSecret() : undefined);
        const [client, near] = duplexPair();
        const [far, target] = duplexPair();
        const ends = [spliced(near, entry), spliced(exit, far)];
        const want = await hashOf(blocks());
        const atTarget = hashOf(target);
        await pipeline(blocks(), client, { end: false });
        client.end();
        expect(await atTarget).to.equal(want);
        // The other way is still open.
        expect(client.readableEnded).to.equal(false);
        const atClient = hashOf(client);
        await pipeline(blocks(), target, { end: false });
        target.end();
        expect(await atClient).to.equal(want);
        const errors = (await Promise.all(ends)).filter((error) => error !== undefined);
        expect(errors).to.deep.equal([]);
        await until(() => scene.listener.counts.open === 0);
      });
    }

    it('carries both directions at once', async () => {
      const { entry, exit } = await (await start()).pair(newSecret());
      const hashes = [hashOf(entry), hashOf(exit), hashOf(blocks())];
      blocks().pipe(entry);
      blocks().pipe(exit);
      const [atEntry, atExit, want] = await Promise.all(hashes);
      expect(atEntry).to.equal(want);
      expect(atExit).to.equal(want);
    });

    it('keeps what was sent for a reader who comes late, when both have ended', async () => {
      const scene = await start();
      const { entry, exit } = await scene.pair(newSecret());
      exit.end();
      entry.end(block.subarray(0, 500_000));
      entry.resume();
      await once(entry, 'end');
      await once(exit, 'readable');
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      expect(await readAll(exit)).to.deep.equal(block.subarray(0, 500_000));
      await until(() => scene.listener.counts.open === 0);
    });

    it('holds the writer back while nobody reads', async () => {
      const { entry, exit } = await (await start()).pair(newSecret());
      let taken = 0;
      const source = blocks();
      source.on('data', () => {
        taken += 1;
      });
      source.pipe(entry);
      await once(exit, 'readable');
      for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate);
      expect(taken).to.be.below(MEGABYTES / 2);
      expect((await hashOf(exit)).split(' ')[0]).to.equal(String(MEGABYTES * block.length));
    });

    it('closes when it is ended and destroyed in one turn', async () => {
      const scene = await start();
      for (const secret of [newSecret(), undefined]) {
        const { entry, exit } = await scene.pair(secret);
        exit.on('error', () => undefined).resume();
        entry.end();
        entry.destroy();
        exit.end();
      }
      await until(() => scene.listener.counts.open === 0);
    });
  });

  describe('when it breaks', () => {
    for (const side of ['entry', 'exit'] as const) {
      it(`takes a connection that is cut with a FIN for broken, not for ended: ${side}`, async () => {
        const scene = await start();
        const middle = keep(await Middle.start(scene));
        const socket = connect(middle.port, '127.0.0.1');
        const pair = await scene.pair(newSecret(), socket);
        pair[side === 'entry' ? 'exit' : 'entry'].write('half of');
        expect(String((await once(pair[side], 'data'))[0])).to.equal('half of');
        const failure = failureOf(pair[side]);
        middle.cut(side);
        expect(await failure).to.match(/cut before its end/);
      });

      it(`hands an abort on through splice, in the middle of data: ${side}`, async () => {
        const scene = await start();
        const pair = await scene.pair(newSecret());
        const aborted = pair[side];
        const [client, near] = duplexPair();
        const result = spliced(near, pair[side === 'entry' ? 'exit' : 'entry']);
        aborted.write('half of');
        expect(String((await once(client, 'data'))[0])).to.equal('half of');
        const failure = failureOf(client);
        aborted.on('error', () => undefined).destroy(new Error('broken cable'));
        expect(await failure).to.equal('the peer has reset the stream');
        expect(String(await result)).to.match(/ECONNRESET/);
        await until(() => scene.listener.counts.open === 0);
      });
    }

    it('resets a socket whose end is under way', async () => {
      let onSocket: (socket: Socket) => void = () => undefined;
      const accepted = new Promise<Socket>((resolve) => {
        onSocket = resolve;
      });
      const running = keep(await listenTcp((far) => onSocket(far)));
      const socket = connect({ port: running.port, host: '127.0.0.1', allowHalfOpen: true });
      const far = await accepted;
      const errors: Error[] = [];
      socket.on('error', (error) => errors.push(error));
      const closed = once(socket, 'close');
      socket.end();
      abortConnection(socket);
      await closed;
      expect(errors).to.deep.equal([]);
      // The system has let go of the connection: it is not there for the other side any more.
      await until(() => !far.write('anybody there?'));
      expect(far.errored).to.be.instanceOf(Error);
    });

    it('has no use for what is changed on the way', async () => {
      const scene = await start();
      const middle = keep(await Middle.start(scene));
      const { entry, exit } = await scene.pair(newSecret(), connect(middle.port, '127.0.0.1'));
      const got: Buffer[] = [];
      entry.on('data', (chunk: Buffer) => got.push(chunk));
      const failure = failureOf(entry);
      middle.entrySide?.write(Buffer.from('1703030020'.padEnd(74, '0'), 'hex'));
      exit.on('error', () => undefined).write('behind it');
      expect(await failure).to.match(/decryption failed|bad record/i);
      await until(() => exit.destroyed);
      expect(Buffer.concat(got)).to.have.length(0);
    });
  });
});

function spliced(a: Duplex, b: Duplex) {
  return new Promise<(Error & { code?: string }) | undefined>((resolve) => {
    splice(a, b, { onEnd: ({ error }) => resolve(error) });
  });
}

/** Why a stream fails; 'ended' if it ends in order. */
function failureOf(stream: Duplex): Promise<string> {
  return new Promise((resolve) => {
    stream.once('error', (error) => resolve(error.message)).once('end', () => resolve('ended'));
    stream.resume();
  });
}
