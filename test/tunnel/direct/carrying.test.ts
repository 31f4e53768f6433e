// Other TLS on top of a stream of a direct path, as pinned TLS is: an end is an end and a cut is a cut, whether it takes
// the bytes below JavaScript or through the stream.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { IncomingStream } from '../../../src/tunnel/opening/incoming.js';
import { until } from '../../support/until.js';
import { ALL_BYTES, chunk, slowly, whole, writeAll, writeUntilHeldUp } from '../bulk.js';
import { client, other, type Side, server, shapes } from '../reverse/stacked.js';
import { EXIT, Pair, skipWithoutUdx } from './pair.js';

/** Longer than what is on its way takes over loopback, with its acknowledgements. */
const MOMENT_MS = 50;
const SIDES: readonly Side[] = ['entry', 'exit'];

for (const [shape, put] of Object.entries(shapes)) {
  describe(`TLS on top of a direct path, ${shape}`, function () {
    this.timeout(30_000);
    let pair: Pair;
    let incoming: IncomingStream[];
    let streams: Record<Side, Duplex>;
    let tops: Record<Side, TLSSocket>;

    before(async function () {
      await skipWithoutUdx(this);
    });
    beforeEach(async () => {
      incoming = [];
      pair = await Pair.start({ onIncoming: (request) => incoming.push(request) });
      await pair.arrange();
      await handshake();
    });
    afterEach(() => pair?.close());

    /** A stream, with TLS on both sides that has carried a word. */
    async function handshake(): Promise<void> {
      const opened = pair.entry.open(EXIT, { destination: 'any:443' });
      const count = incoming.length;
      await until(() => incoming.length > count);
      streams = { exit: incoming.at(-1)!.accept(), entry: (await opened)!.stream };
      tops = { exit: put(streams.exit, server), entry: put(streams.entry, client) };
      for (const top of Object.values(tops)) top.on('error', () => undefined);
      await once(tops.entry, 'secureConnect');
      tops.entry.write('?');
      await once(tops.exit, 'readable');
      expect(String(tops.exit.read())).to.equal('?');
    }

    const isOver = (): boolean =>
      SIDES.every((side) => streams[side].closed) && pair.entry.streams + pair.exit.streams === 0;

    for (const side of SIDES) {
      it(`brings ${side}'s end, and then the other one's, with every byte before it`, async () => {
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
        await until(isOver);
        for (const { errored } of Object.values(streams)) expect(errored).to.equal(null);
      });

      it(`brings all to a slow reader when ${side} leaves at once, with something unread`, async () => {
        tops[other(side)].write(chunk);
        await until(() => tops[side].readableLength > 0);
        const got = slowly(tops[other(side)]);
        writeAll(tops[side]);
        tops[side].end(() => tops[side].destroy());
        expect(await got).to.deep.equal(whole);
        tops[other(side)].end();
        await until(isOver);
      });

      it(`is no end where ${side} is destroyed amid its bytes`, async () => {
        for (const which of ['top', 'stream'] as const) {
          if (which === 'stream') await handshake();
          const result = { bytes: 0, isEnd: false };
          const got = slowly(tops[other(side)], result);
          writeAll(tops[side]);
          await until(() => result.bytes > 0);
          (which === 'top' ? tops : streams)[side].destroy();
          expect((await got).isEnd).to.equal(false);
          expect(result.bytes).to.be.below(ALL_BYTES);
          await until(isOver);
          expect(streams[other(side)].errored).to.be.instanceOf(Error);
        }
      });

      it(`is no end for ${side} where the path is cut amid bytes`, async () => {
        const result = { bytes: 0, isEnd: false };
        const got = slowly(tops[side], result);
        writeAll(tops[other(side)]);
        await until(() => result.bytes > 0);
        await pair[other(side)].close();
        expect((await got).isEnd).to.equal(false);
        await until(isOver);
        expect(streams[side].errored).to.be.instanceOf(Error);
      });

      it(`holds up a writer while ${side} does not read`, async () => {
        const sent = await writeUntilHeldUp(tops[other(side)], () => pause(MOMENT_MS));
        expect(sent).to.be.below(6_000_000);
        let got = 0;
        tops[side].on('data', (data: Buffer) => (got += data.length));
        await until(() => got === sent);
      });

      it(`is an error for a writer whose reader, ${side}, fails after its own end`, async () => {
        const [reader, writer] = [tops[side], tops[other(side)]];
        reader.end('all that there is');
        expect(await slowly(writer)).to.deep.equal({ bytes: 17, isEnd: true });
        await until(() => reader.writableFinished);
        streams[side].destroy(new Error('the target is gone'));
        const more = (error?: Error | null): void => void (error || writer.write(chunk, more));
        more();
        await until(() => writer.closed);
        expect(writer.writableFinished).to.equal(false);
        await until(isOver);
      });
    }
  });
}
