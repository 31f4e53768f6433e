// The program as a process: its arguments as others see them, its signals, its exit status.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { jsonLines, spawnMain, useTempFolder } from './harness.js';

describe('the process', () => {
  const folder = useTempFolder();

  it('shows no key in its arguments, says that a file is better, and ends with 0 by SIGTERM', async () => {
    const key = '11'.repeat(32);
    const child = spawnMain(folder.path, [
      'proxy',
      '--listen',
      '127.0.0.1:0',
      '--json',
      '--key',
      key,
    ]);
    const stderr = text(child.stderr!);
    const [line] = await once(child.stdout!, 'data');
    expect(jsonLines(String(line))[0]).to.include({ event: 'ready' });
    if (process.platform === 'linux') {
      expect(await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).to.not.include('1111');
    }
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
    expect(await stderr)
      .to.include('--key-file')
      .and.not.include('1111');
  });

  it('ends with 2 for a wrong flag, without a stack trace', async () => {
    const child = spawnMain(folder.path, ['proxy', '--lisen', 'x']);
    const [stderr, [status]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    expect(status).to.equal(2);
    expect(stderr).to.equal(
      'nws: unknown option --lisen\nhint: did you mean --listen? see nws proxy --help\n',
    );
  });

  it('takes it calmly that nobody reads its output', async () => {
    const child = spawnMain(folder.path, ['--help']);
    child.stdout!.destroy();
    const [stderr, [status]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  });
});
