// How often V8 looks through all of a small heap while Buffers come and go.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { growthPercent, KNOWN_V8, makeRoomForBuffers } from '../src/buffer-room.js';

const MODULE = fileURLToPath(new URL('../src/buffer-room.ts', import.meta.url));

/** Holds some megabytes of objects, makes a gigabyte of Buffers, and says how often everything was collected. */
const PROGRAM = `
  import { constants, PerformanceObserver } from 'node:perf_hooks';
  import { setImmediate as turn } from 'node:timers/promises';
  import { makeRoomForBuffers } from ${JSON.stringify(MODULE)};
  if (process.argv[1] === 'room') makeRoomForBuffers();
  let full = 0;
  new PerformanceObserver((list) => {
    full += list.getEntries().filter((e) => e.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
  }).observe({ entryTypes: ['gc'] });
  globalThis.held = Array.from({ length: 100_000 }, (_, at) => ({ at, text: 'text ' + at }));
  // What V8 makes of the heap as it is now counts from here on.
  for (const _ of [1, 2]) {
    gc();
    await turn();
  }
  full = 0;
  const buffers = [];
  for (let made = 0; made < 16_000; made += 1) {
    buffers.push(Buffer.allocUnsafeSlow(65_536));
    if (buffers.length > 16) buffers.shift();
    if (made % 8 === 0) await turn();
  }
  await turn();
  console.log(full);
`;

async function fullCollections(...argv: string[]): Promise<number> {
  // V8's own measure hangs on how fast the machine happens to be: here it is a small one to begin with.
  const options = [
    '--expose-gc',
    '--heap-growing-percent=20',
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    PROGRAM,
    ...argv,
  ];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, options);
  expect(stderr).to.equal('');
  return Number(stdout);
}

describe('room for Buffers', () => {
  it('spares full collections', async function () {
    if (!KNOWN_V8.test(process.versions.v8)) this.skip();
    const [without, roomy] = [await fullCollections(), await fullCollections('room')];
    expect(roomy).to.be.below(without / 2);
  });

  it('is so much more beside a small heap, and what V8 leaves beside a large one', () => {
    expect(growthPercent(10_000_000)).to.equal(640);
    expect(growthPercent(128_000_000)).to.equal(50);
    expect(growthPercent(160_000_000)).to.equal(0);
  });

  it('is left to a V8 that may not know the option, or has no use for it', () => {
    for (const v8 of ['10.2.154.26-node.22', '13.6.233.17-node.53']) {
      expect(makeRoomForBuffers(v8)).to.equal(false);
    }
  });
});
