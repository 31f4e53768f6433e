// That the bench runs and fills its table. Never how fast: that is for people, on a machine that does nothing else.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { spreadOf } from './report/statistics.js';
import { tableOf } from './report/table.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('bench', function bench() {
  this.timeout(240_000);

  it('fills a table, run once and small', async () => {
    if (!existsSync(`${ROOT}dist/main.js`)) throw new Error('dist/ is missing: npm run build');
    const argv = ['--import', 'tsx', 'test/bench/main.ts', '--quick'];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: ROOT });
    expect(stdout).to.match(/^# Bench\n\n- \d{4}-\d\d-\d\d .*\n- nws .*\n- Node .*\n- .*cores/);
    const cells = stdout
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    const figures = new Map(
      cells.slice(2).map(([, relay, what, ...rest]) => [`${what}, ${relay}`, rest]),
    );
    for (const what of ['verify, wasm, –', 'sign, wasm, –', 'shared point, wasm, –']) {
      expect(figures.get(what)?.[0], what).to.match(/^[\d.]+$/);
    }
    for (const what of [
      'download',
      'upload',
      '32 downloads at once',
      'download, all in WebAssembly',
    ]) {
      const [median, , unit, ratio, events, cpu] = figures.get(`${what}, plain`)!;
      expect(Number(median), what).to.be.greaterThan(0);
      expect(unit).to.equal('MB/s');
      expect(ratio).to.match(/^[\d.]+ \([\d.]+–[\d.]+\) of blast$/);
      expect(Number(events)).to.be.greaterThan(0);
      expect(cpu).to.match(/^relay [\d.]+, exit [\d.]+, proxy [\d.]+$/);
    }
    const counted = [...figures].filter(([what]) => what.startsWith('GET by'));
    expect(counted).to.have.lengthOf(4);
    for (const [what, [median]] of counted) expect(Number(median), what).to.be.greaterThan(0);
    for (const what of ['50 interactive beside a download, plain', 'download over two, 4 MB/s']) {
      expect(Number(figures.get(what)?.[0]), what).to.be.greaterThan(0);
    }
    expect(figures.get('CONNECTR, download, past it')?.[3]).to.match(/of bare$/);
    for (const process of ['relay', 'exit', 'proxy']) {
      expect(stdout).to.match(
        new RegExp(`goes\\n(?:.*\\n)*- ${process}, [\\d.]+ s of work: .*\\d %, .*\\d %`),
      );
    }
  });

  it('shows medians, spread and ratios', () => {
    expect(spreadOf([3, 1, 2])).to.deep.equal({ median: 2, least: 1, most: 3 });
    expect(spreadOf([4, 1, 2, 3])).to.deep.equal({ median: 2.5, least: 1, most: 4 });
    const row = { relay: 'plain', what: 'download', unit: 'MB/s', values: [10, 30, 20] };
    const ratios = { ratios: { blast: [0.5, 0.7, 0.6], all: [1, 1, 1] } };
    const table = tableOf([{ ...row, ...ratios, events: [7, 9], cpuSeconds: { exit: [1.234] } }]);
    const [, , shown] = table.split('\n').map((line) => line.replace(/ +/g, ' '));
    expect(shown).to.equal(
      '| plain | download | 20 | 10–30 | MB/s | 0.60 (0.50–0.70) of blast, 1.00 (1.00–1.00) of all | 8 | exit 1.23 |',
    );
  });
});
