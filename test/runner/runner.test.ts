// The runner of the tests itself: a test that hangs, ends its process or fails is told by its name, with a stack.

import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isUnit } from './layers.js';
import { Report } from './report.js';
import { type FileResult, WorkerProcess } from './worker-process.js';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`./fixtures/${name}.fixture.ts`, import.meta.url));

describe('the runner of the tests', () => {
  let worker: WorkerProcess;
  beforeEach(() => {
    worker = new WorkerProcess({ env: process.env, patienceMs: 200 });
  });
  afterEach(() => worker.close());

  const only = ({ outcomes }: FileResult) => outcomes.at(-1)!;

  it('ends a test that is busy for ever, and says where it was', async () => {
    const result = await worker.run(fixture('busy'));
    expect(result.outcomes.map(({ state }) => state)).to.deep.equal(['passed', 'failed']);
    expect(only(result).title).to.equal('a fixture is busy for ever');
    expect(only(result).error).to.match(
      /no end after 0 s\nbusy here:\n {4}at spins \(.*busy\.fixture\.ts:5\)/,
    );
  });

  it('goes on with the next file after one that ended its process', async () => {
    const crashed = only(await worker.run(fixture('crash')));
    expect(crashed).to.include({ title: 'a fixture ends the process', state: 'failed' });
    expect(crashed.error).to.match(/ended with 3\nlast words/);
    const late = only(await worker.run(fixture('crash-late')));
    expect(late.error).to.match(/^the process ended with 3/);
    expect((await worker.run(fixture('mixed'))).outcomes).to.have.lengthOf(3);
  });

  it('ends a test that waits for ever by its time-out', async () => {
    const waiting = only(await worker.run(fixture('never')));
    expect(waiting).to.include({ title: 'a fixture waits for ever', state: 'failed' });
    expect(waiting.error).to.match(/Timeout of 50ms exceeded/);
  });

  it('counts, shows how a value differs, and is content only where something ran and nothing failed', async () => {
    let text = '';
    const out = new Writable({
      write: (chunk, _encoding, done) => {
        text += chunk;
        done();
      },
    });
    const report = new Report(out);
    report.add(await worker.run(fixture('mixed')));
    expect(report.close()).to.equal(false);
    expect(text).to.match(/^1 passed, 1 failed, 1 skipped$/m);
    expect(text)
      .to.match(/a fixture differs\n.*AssertionError/)
      .and.match(/"is": 2/);
    expect(new Report(out).close(), 'nothing ran').to.equal(false);
  });

  it('knows which files need sockets or processes', () => {
    expect(isUnit('test/protocol/simulation/cases.test.ts')).to.equal(true);
    expect(isUnit('test/e2e/requests.test.ts')).to.equal(false);
    expect(isUnit('test/relay/link.test.ts')).to.equal(false);
    expect(isUnit('test/runner/runner.test.ts')).to.equal(false);
  });
});
