// Other TLS on top of a reverse connection, as pinned TLS is: it takes the bytes below JavaScript, or through the stream
// as over any other, and either way an end is an end and a cut is a cut, for whoever reads the one on top.

import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { until } from '../../support/until.js';
import { ALL_BYTES, chunk, type Got, slowly, whole, writeAll, writeUntilHeldUp } from '../bulk.js';
import { Endless, other, Stacked, shapes } from './stacked.js';

for (const [shape, put] of Object.entries(shapes)) {
  describe(`TLS on top of a reverse connection, ${shape}`, () => {
    let stacked: Stacked;

    beforeEach(async () => {
      stacked = await Stacked.start(put);
    });
    afterEach(() => stacked.close());

    for (const side of ['entry', 'exit'] as const) {
      it(`brings ${side}'s end, and then the other one's, with every byte before it`, async () => {
        await stacked.handshake();
        const { scene, streams, tops } = stacked;
        const [first, second] = [tops[side], tops[other(side)]];
        const atSecond = slowly(second);
        writeAll(first);
        first.end();
        expect(await atSecond).to.deep.equal(whole);
        expect(first.readableEnded).to.equal(false);
        const atFirst = slowly(first);
        writeAll(second);
        second.end();
        expect(await atFirst).to.deep.equal(whole);
        await until(() => scene.listener.counts.open === 0);
        await until(() => streams.entry.closed && streams.exit.closed);
        for (const { errored, writableEnded } of Object.values(streams)) {
          expect({ errored, writableEnded }).to.deep.equal({ errored: null, writableEnded: true });
        }
      });

      it(`brings all to a slow reader when ${side} leaves at once, with something unread`, async () => {
        await stacked.connect(true);
        await stacked.handshake();
        const { scene, tops } = stacked;
        tops[other(side)].write(chunk);
        await until(() => tops[side].readableLength > 0);
        const got = slowly(tops[other(side)]);
        writeAll(tops[side]);
        tops[side].end(() => tops[side].destroy());
        expect(await got).to.deep.equal(whole);
        tops[other(side)].end();
        await until(() => scene.listener.counts.open === 0);
      });

      it(`is no end where ${side} is destroyed amid its bytes`, async () => {
        for (const isTop of [true, false]) {
          if (!isTop) await stacked.connect();
          await stacked.handshake();
          const { streams, tops } = stacked;
          const result: Got = { bytes: 0, isEnd: false };
          const got = slowly(tops[other(side)], result);
          writeAll(tops[side]);
          await until(() => result.bytes > 0);
          (isTop ? tops : streams)[side].destroy();
          expect((await got).isEnd).to.equal(false);
          expect(result.bytes).to.be.below(ALL_BYTES);
          await until(() => streams.entry.closed && streams.exit.closed);
          expect(streams[other(side)].errored).to.be.instanceOf(Error);
        }
      });

      it(`is an error for a writer whose reader, ${side}, fails after its own end`, async () => {
        await stacked.handshake();
        const { scene, streams, tops } = stacked;
        const [reader, writer] = [tops[side], tops[other(side)]];
        reader.end('all that there is');
        expect(await slowly(writer)).to.deep.equal({ bytes: 17, isEnd: true });
        await until(() => reader.writableFinished);
        streams[side].destroy(new Error('the target is gone'));
        const more = (error?: Error | null): void => void (error || writer.write(chunk, more));
        more();
        await until(() => writer.closed);
        expect(writer.writableFinished).to.equal(false);
        await until(() => scene.listener.counts.open === 0);
      });

      for (const how of ['FIN', 'a reset'] as const) {
        it(`is no end for ${side} where somebody cuts the connection by ${how}`, async () => {
          await stacked.handshake();
          const { middle, streams, tops } = stacked;
          const result: Got = { bytes: 0, isEnd: false };
          const got = slowly(tops[side], result);
          writeAll(tops[other(side)]);
          await until(() => result.bytes > 0);
          if (how === 'FIN') middle.cut(side);
          else (side === 'entry' ? middle.entrySide : middle.exitSide)!.resetAndDestroy();
          expect((await got).isEnd).to.equal(false);
          expect(result.bytes).to.be.below(ALL_BYTES);
          await until(() => streams[side].closed);
          expect(streams[side].errored).to.be.instanceOf(Error);
          // It is an abort to the other side, too.
          await until(() => streams[other(side)].closed);
          expect(tops[other(side)].readableEnded).to.equal(false);
        });
      }

      it(`is no end for ${side} where the connection is cut between bytes, nor one later`, async () => {
        await stacked.handshake();
        const { middle, streams, tops } = stacked;
        middle.cut(side);
        expect(await slowly(tops[side])).to.deep.equal({ bytes: 0, isEnd: false });
        await until(() => tops[side].closed && streams[side].closed);
        expect(tops[side].readableEnded).to.equal(false);
      });

      it(`is an end for ${side} where the one on top says so, and a cut behind it changes nothing`, async () => {
        const under = new Endless(stacked.streams[other(side)]);
        await stacked.handshake(side, under);
        const { middle, streams, tops } = stacked;
        const got = slowly(tops[side]);
        writeAll(tops[other(side)]);
        tops[other(side)].end();
        expect(await got).to.deep.equal(whole);
        expect(streams[other(side)].writableEnded).to.equal(false);
        middle.cut(side);
        tops[side].end();
        await until(() => tops[side].closed && streams[side].closed);
        if (shape === 'below JavaScript') expect(streams[side].errored).to.equal(null);
      });

      it(`is an end for ${side} where only the one below says so`, async () => {
        const under = new Endless(stacked.streams[other(side)]);
        await stacked.handshake(side, under);
        const { streams, tops } = stacked;
        const got = slowly(tops[side]);
        tops[other(side)].write(chunk, () => streams[other(side)].end());
        expect(await got).to.deep.equal({ bytes: chunk.length, isEnd: true });
      });

      it(`holds up a writer while ${side} does not read`, async () => {
        await stacked.handshake();
        const { tops } = stacked;
        // Nobody reads: what the systems on the way hold is all that goes out.
        const sent = await writeUntilHeldUp(tops[other(side)], nextTurn);
        expect(tops[side].readableLength).to.be.below(500_000);
        let got = 0;
        tops[side].on('data', (data: Buffer) => (got += data.length));
        await until(() => got === sent);
      });
    }

    it('breaks off where the client ends amid the handshake', async () => {
      const { streams } = stacked;
      const top = stacked.put('exit');
      const broken = new Promise<void>((resolve) => streams.exit.once('end', resolve));
      streams.entry.end(Buffer.from('16030100', 'hex'));
      await broken;
      top.destroy();
      await until(() => streams.exit.closed);
    });

    it('takes what is written behind its end', async () => {
      const under = new Endless(stacked.streams.entry);
      under.hold(1); // the client's last message
      const tops = { exit: stacked.put('exit'), entry: stacked.put('entry', under) };
      await once(tops.entry, 'secureConnect');
      tops.exit.end();
      await once(tops.entry.resume(), 'end');
      under.release();
      tops.entry.write('what nobody answers any more');
      const [said] = (await once(tops.exit, 'data')) as [Buffer];
      expect(String(said)).to.equal('what nobody answers any more');
    });

    it('counts what passes', async () => {
      await stacked.handshake();
      const { streams, tops } = stacked;
      const got = slowly(tops.entry);
      writeAll(tops.exit);
      tops.exit.end();
      await got;
      const { bytesRead } = streams.entry;
      expect(bytesRead).to.be.within(ALL_BYTES, ALL_BYTES * 1.01 + 5_000);
      expect(streams.exit.bytesWritten).to.equal(bytesRead);
      tops.entry.end();
      await slowly(tops.exit);
      expect(streams.exit.bytesRead).to.equal(streams.entry.bytesWritten);
      await until(() => streams.exit.closed);
      expect(streams.exit.bytesWritten).to.equal(bytesRead);
    });
  });
}
