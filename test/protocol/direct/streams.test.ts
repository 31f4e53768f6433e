// Frames, windows, numbers and control messages: what a stream of a path is made of.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  type ControlMessage,
  ControlReader,
  encodeControl,
} from '../../../src/protocol/direct/control.js';
import {
  creditFrame,
  dataHead,
  endFrame,
  FrameReader,
} from '../../../src/protocol/direct/frames.js';
import { ReplayWindow } from '../../../src/protocol/direct/replay-window.js';
import {
  FIRST_WINDOW_BYTES,
  ReceiveWindow,
  WindowPool,
} from '../../../src/protocol/direct/window.js';
import { expectError } from '../../support/expect-error.js';

const KEY = '6a0b1fb8-d9ac-4e4b-93a8-8c4bd65e3a3c';

interface Read {
  readonly frames: FrameReader;
  readonly data: Buffer[];
  readonly credits: number[];
  ends: number;
}

function reader(): Read {
  const data: Buffer[] = [];
  const credits: number[] = [];
  const onData = (part: Buffer): number => data.push(part);
  const onCredit = (bytes: number): number => credits.push(bytes);
  const onEnd = (): void => {
    read.ends += 1;
  };
  const read = { frames: new FrameReader({ onData, onCredit, onEnd }), data, credits, ends: 0 };
  return read;
}

describe('protocol/direct streams', () => {
  it('take frames apart, however they are cut', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      ),
    );
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 9 }), (list, step) => {
        const wire = Buffer.concat(
          list.flatMap((piece) =>
            typeof piece === 'number' ? [creditFrame(piece)] : [dataHead(piece.length), piece],
          ),
        );
        const { frames, data, credits } = reader();
        for (let at = 0; at < wire.length; at += step) frames.read(wire.subarray(at, at + step));
        expect(credits).to.deep.equal(list.filter((piece) => typeof piece === 'number'));
        const bytes = list.filter((piece) => typeof piece !== 'number');
        expect(Buffer.concat(data).equals(Buffer.concat(bytes))).to.equal(true);
      }),
    );
  });

  it('end in one direction by a frame', () => {
    const read = reader();
    read.frames.read(Buffer.concat([dataHead(1), Buffer.alloc(1), endFrame(), creditFrame(5)]));
    expect(read).to.deep.include({ ends: 1, credits: [5], data: [Buffer.alloc(1)] });
  });

  it('let a side send its first window, and no byte more before it is read', () => {
    const window = new ReceiveWindow(new WindowPool(0), 0);
    expect(window.arrive(FIRST_WINDOW_BYTES)).to.equal(true);
    expect(window.credit(FIRST_WINDOW_BYTES, 1)).to.equal(0);
    expect(window.arrive(1)).to.equal(false);
  });

  it('give credit for what was read, and a larger window where it is used up quickly', () => {
    const pool = new WindowPool(FIRST_WINDOW_BYTES);
    const window = new ReceiveWindow(pool, 0);
    window.arrive(FIRST_WINDOW_BYTES);
    expect(window.credit(0, 100)).to.equal(2 * FIRST_WINDOW_BYTES);
    window.arrive(2 * FIRST_WINDOW_BYTES);
    // The pool is empty.
    expect(window.credit(0, 200)).to.equal(2 * FIRST_WINDOW_BYTES);
    window.close();
    expect(pool.take(FIRST_WINDOW_BYTES)).to.equal(true);
  });

  it('take each number once, also out of order, and none from long ago', () => {
    const window = new ReplayWindow();
    const numbers = [5, 3, 5, 4, 100, 37, 36, 99, 100, 3];
    expect(numbers.map((number) => window.accept(number))).to.deep.equal([
      ...[true, true, false, true, true, true, false, true, false, false],
    ]);
  });

  it('carry control messages, cut anywhere', () => {
    const messages: ControlMessage[] = [
      { type: 'CONNECT', key: KEY, destination: 'ü.example:443', id: 7 },
      { type: 'ACCEPT', key: KEY, id: 0xffff_ffff },
      { type: 'OPEN', key: KEY },
      { type: 'RESET', key: KEY, error: 'dns_error', detail: 'no such host' },
    ];
    const text = messages.map(encodeControl).join('');
    for (let step = 1; step < 50; step += 7) {
      const control = new ControlReader();
      const read: ControlMessage[] = [];
      for (let at = 0; at < text.length; at += step)
        read.push(...control.read(text.slice(at, at + step)));
      expect(read).to.deep.equal(messages);
    }
  });

  it('leave out control messages of types that are unknown', () => {
    expect(new ControlReader().read('{"type":"LATER","key":1}\n')).to.deep.equal([]);
  });

  for (const line of [
    'garbage\n',
    '[]\n'.replace('[]', '7'),
    `{"type":"OPEN","key":"x"}\n`,
    `{"type":"ACCEPT","key":"${KEY}","id":0}\n`,
    `{"type":"ACCEPT","key":"${KEY}","id":4294967296}\n`,
    `{"type":"CONNECT","key":"${KEY}","id":1,"destination":"${'x'.repeat(2_000)}"}\n`,
    'x'.repeat(9_000),
  ]) {
    it(`refuse the control message ${line.slice(0, 50).trim()}`, () => {
      expectError('bad_message', () => new ControlReader().read(line));
    });
  }
});
