// A stream at its client's speed: all bytes in order, both ends, failures, and how long bytes wait. The timers are
// the test's, so nothing here depends on how fast the machine is.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { ByteRate } from '../../../src/exit/clients/byte-rate.js';
import { PacedStream } from '../../../src/exit/clients/paced-stream.js';
import { duplexPair } from '../../support/duplex-pair.js';
import { readAll } from '../../support/read-all.js';
import { ManualTimers, settle } from '../../support/simulator/manual-timers.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const free = (): ByteRate => new ByteRate(Number.POSITIVE_INFINITY);

/** So many bytes a second, whose first burst is gone. */
function spent(bytesPerSecond: number): ByteRate {
  const rate = new ByteRate(bytesPerSecond);
  rate.take(bytesPerSecond / 4, performance.now());
  return rate;
}

/** A paced stream, what it is around, and the client's end of that. */
function scene(up: ByteRate = free(), down: ByteRate = free()) {
  const [client, inner] = duplexPair();
  const paced = new PacedStream(inner, { up, down });
  for (const stream of [client, paced]) stream.on('error', () => undefined);
  return { client, inner, paced };
}

describe('exit/paced-stream', () => {
  describe('carries', () => {
    const bytes = randomBytes(5_000_000);
    const back = randomBytes(3_000_000);

    async function both({ client, paced }: ReturnType<typeof scene>): Promise<void> {
      const [up, down] = [readAll(paced), readAll(client)];
      client.end(bytes);
      paced.end(back);
      expect(sha256(await up)).to.equal(sha256(bytes));
      expect(sha256(await down)).to.equal(sha256(back));
      if (!paced.closed) await once(paced, 'close');
      expect(paced.errored).to.equal(null);
      expect([paced.bytesRead, paced.bytesWritten]).to.deep.equal([bytes.length, back.length]);
    }

    it('every byte both ways without a limit', () => both(scene()));

    it('every byte both ways when some of them wait', () => both(scene(spent(1e8), spent(1e8))));

    it('small writes and small reads in order', async () => {
      const { client, paced } = scene();
      const text = Array.from({ length: 500 }, (_, index) => `line ${index}\n`);
      const got = readAll(client);
      for (const line of text) paced.write(line);
      paced.end();
      expect(String(await got)).to.equal(text.join(''));
      for (const line of text) client.write(line);
      client.end();
      let read = '';
      for await (const chunk of paced) read += chunk;
      expect(read).to.equal(text.join(''));
    });

    it('an empty stream', async () => {
      const { client, paced } = scene();
      const ended = [readAll(paced), readAll(client)];
      client.end();
      paced.end();
      expect((await Promise.all(ended)).map(String)).to.deep.equal(['', '']);
      if (!paced.closed) await once(paced, 'close');
    });
  });

  describe('ends', () => {
    it('in one direction by itself, in both orders', async () => {
      for (const first of ['client', 'exit'] as const) {
        const { client, inner, paced } = scene();
        const [early, late] = first === 'client' ? [client, paced] : [paced, client];
        const atLate = readAll(late);
        early.end('done');
        expect(String(await atLate)).to.equal('done');
        const atEarly = readAll(early);
        late.write('still ');
        late.end('here');
        expect(String(await atEarly)).to.equal('still here');
        if (!paced.closed) await once(paced, 'close');
        expect([paced.errored, inner.errored]).to.deep.equal([null, null]);
      }
    });

    it('not before the reader has everything, when both ends are there long before', async () => {
      const { client, inner, paced } = scene();
      paced.end();
      client.resume();
      client.end(Buffer.alloc(10_000, 'x'));
      paced.read(0);
      await settle();
      expect(inner.readableEnded && inner.writableFinished).to.equal(true);
      expect(await readAll(paced)).to.have.length(10_000);
    });

    it('with finish only when the inner stream has taken everything', async () => {
      const { client, paced } = scene();
      let isFinished = false;
      paced.once('finish', () => (isFinished = true));
      paced.end(Buffer.alloc(100_000)); // far more than the client's end holds unread
      await settle();
      expect(isFinished).to.equal(false);
      client.resume();
      await once(paced, 'finish');
    });

    it('with a write called back only when the inner stream has taken it, however small it is', async () => {
      let take: () => void = () => undefined;
      let chunks = 0;
      const slow = new Duplex({
        read: () => undefined,
        write: (_chunk, _encoding, done) => {
          chunks += 1;
          take = done;
        },
      });
      const paced = new PacedStream(slow, { up: free(), down: free() });
      let written = 0;
      for (const text of ['a', 'b']) paced.write(text, () => (written += 1));
      await settle();
      expect([written, chunks]).to.deep.equal([0, 1]);
      take();
      await settle();
      expect([written, chunks]).to.deep.equal([1, 2]);
      paced.destroy();
    });
  });

  describe('fails', () => {
    it('when the client resets it, with the reason', async () => {
      const { client, paced } = scene();
      const failure = once(paced, 'error');
      client.destroy();
      expect((await failure)[0]).to.include({ code: 'connection_terminated' });
    });

    it('when the client resets it while bytes wait either way', async () => {
      const rate = spent(1);
      rate.take(1, performance.now());
      const { client, paced } = scene(rate, rate);
      client.write('up');
      paced.write('down');
      paced.read(0);
      await settle();
      expect([paced.bytesRead, paced.bytesWritten]).to.deep.equal([0, 0]);
      const failure = once(paced, 'error');
      client.destroy();
      expect((await failure)[0]).to.include({ code: 'connection_terminated' });
    });

    it('toward the client, when this end is destroyed', async () => {
      for (const error of [undefined, new Error('the target is gone')]) {
        const { client, inner, paced } = scene();
        const failure = once(client, 'error');
        paced.destroy(error);
        expect((await failure)[0]).to.include({ code: 'connection_terminated' });
        expect(inner.destroyed).to.equal(true);
      }
    });

    it('when the inner stream closes early without an error', async () => {
      for (const ended of [false, true]) {
        const { inner, paced } = scene();
        if (ended) inner.end();
        inner.destroy();
        await once(paced, 'close');
        expect([paced.errored, paced.readableEnded]).to.deep.equal([null, false]);
      }
    });

    it('at once, when the inner stream was closed before', async () => {
      for (const error of [undefined, new Error('the carrier is gone')]) {
        const inner = new Duplex({ read: () => undefined });
        inner.on('error', () => undefined).destroy(error);
        await new Promise((resolve) => inner.once('close', resolve));
        const paced = new PacedStream(inner, { up: free(), down: free() });
        paced.on('error', () => undefined);
        await new Promise((resolve) => paced.once('close', resolve));
        expect(paced.errored).to.equal(error ?? null);
      }
    });
  });

  describe('makes wait', () => {
    let timers: ManualTimers;

    beforeEach(() => {
      timers = new ManualTimers();
    });
    afterEach(() => timers.restore());

    it('a writer until nothing more is owed, and not a moment less', async () => {
      const { client, paced } = scene(free(), spent(1_000));
      const written: string[] = [];
      for (const text of ['x'.repeat(500), 'two', 'three']) {
        paced.write(text, () => written.push(text));
      }
      client.resume();
      await settle();
      expect([written.length, paced.bytesWritten]).to.deep.equal([1, 500]);
      await timers.pass(498);
      expect(written).to.have.length(1);
      await timers.pass(2);
      expect([written.length, paced.bytesWritten]).to.deep.equal([2, 503]);
      await timers.pass(3);
      expect(written).to.have.length(3);
      paced.destroy();
    });

    it('a reader between chunks, and the client behind it', async () => {
      const { client, paced } = scene(spent(1_000));
      const got: string[] = [];
      paced.on('data', (chunk) => got.push(String(chunk)));
      client.write('x'.repeat(500));
      await settle();
      client.write('two');
      client.write(Buffer.alloc(200_000, 'x'));
      await settle();
      expect([got.length, paced.bytesRead]).to.deep.equal([1, 500]);
      expect(client.writableLength).to.be.above(100_000);
      await timers.pass(498);
      expect(got).to.have.length(1);
      await timers.pass(2);
      expect([got.length, got[1]?.slice(0, 3)]).to.deep.equal([2, 'two']);
      paced.destroy();
    });

    it('all streams of a client for one another, from their first byte on, and in turn', async () => {
      const rate = spent(1_000);
      const scenes = Array.from({ length: 4 }, () => scene(free(), rate));
      for (const { client, paced } of scenes) {
        client.resume();
        paced.write(Buffer.alloc(1_000));
        paced.write(Buffer.alloc(1_000));
      }
      const passed = (): string => scenes.map(({ paced }) => paced.bytesWritten / 1_000).join('');
      await settle();
      expect(passed()).to.equal('1000');
      for (const expected of ['1100', '1110', '1111', '2111', '2211']) {
        await timers.pass(1_000);
        expect(passed()).to.equal(expected);
      }
      for (const { paced } of scenes) paced.destroy();
    });

    it('the end for everything before it', async () => {
      const { client, inner, paced } = scene(spent(1_000), spent(1_000));
      const [up, down] = [readAll(paced), readAll(client)];
      let isClosed = false;
      paced.once('close', () => (isClosed = true));
      paced.write('x'.repeat(500));
      paced.end('bye');
      client.write('x'.repeat(500));
      await settle();
      client.end('bye');
      expect([isClosed, inner.writableEnded]).to.deep.equal([false, false]);
      for (const ms of [500, 3]) await timers.pass(ms);
      const whole = `${'x'.repeat(500)}bye`;
      expect([String(await up), String(await down)]).to.deep.equal([whole, whole]);
      expect([isClosed, paced.errored]).to.deep.equal([true, null]);
    });

    it('nobody for less than a millisecond, which no timer can keep', async () => {
      const rate = spent(1_000_000);
      const { client, paced } = scene(rate, rate);
      rate.take(999, performance.now());
      const down = readAll(client);
      paced.end('now');
      expect(String(await down)).to.equal('now');
      expect(timers.size).to.equal(0);
      paced.destroy();
    });

    it('with no timer that outlives the stream', async () => {
      const { client, paced } = scene(spent(1_000), spent(1_000));
      const got: string[] = [];
      paced.on('data', (chunk) => got.push(String(chunk)));
      for (const text of ['x'.repeat(500), 'y']) {
        for (const stream of [paced, client]) stream.write(text);
        await settle();
      }
      expect(timers.size).to.equal(2);
      paced.destroy();
      expect(timers.size).to.equal(0);
      await timers.pass(1_000);
      expect([got.length, paced.bytesWritten]).to.deep.equal([1, 500]);
    });
  });
});
