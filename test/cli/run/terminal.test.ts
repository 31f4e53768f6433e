// `nws run` at a terminal, as a process: Ctrl-C is the command's matter, and nothing stays behind.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../support/until.js';
import { PROGRAM, spawnMain, useTempFolder } from '../harness.js';

/** util-linux's; that of BSD takes other arguments. */
const hasScript = /util-linux/.test(
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '',
);

describe('nws run as a process', function () {
  this.timeout(30_000);
  const folder = useTempFolder();

  const statuses: readonly [argv: string[], status: number][] = [
    [['false'], 1],
    [['true'], 0],
    [['sh', '-c', 'kill -TERM $$'], 143],
    [['sh', '-c', 'kill -INT $$'], 130],
  ];
  for (const [argv, status] of statuses) {
    it(`has the status of ${argv.join(' ')}: ${status}`, async () => {
      const child = spawnMain(folder.path, ['run', '--', ...argv]);
      expect(await once(child, 'exit')).to.deep.equal([status, null]);
    });
  }

  it('hands over SIGTERM, and leaves with the command', async () => {
    const script = `trap 'exit 7' TERM; echo $$; while :; do sleep 0.05; done`;
    const child = spawnMain(folder.path, ['run', '--', 'sh', '-c', script]);
    const [pid] = await once(child.stdout!, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).to.deep.equal([7, null]);
    expect(isAlive(Number(pid))).to.equal(false);
  });

  describe('at a terminal', () => {
    before(function () {
      if (!hasScript) this.skip();
    });

    /** Runs a shell's script behind `nws run` in a terminal of its own, whose keys are what is written to stdin. */
    function atTerminal(script: string): ChildProcess {
      const words = [process.execPath, ...PROGRAM, 'run', '--', 'sh', '-c', script];
      const line = `exec ${words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}`;
      return spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
        cwd: folder.path,
        env: {
          PATH: process.env.PATH,
          HOME: folder.path,
          NWS_HOME: join(folder.path, 'home'),
          SHELL: '/bin/sh',
        },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
    }

    async function content(name: string): Promise<string> {
      return readFile(join(folder.path, name), 'utf8').catch(() => '');
    }

    it('lets Ctrl-C reach the command, once, and gives back what it makes of it', async () => {
      const terminal = atTerminal(
        `trap 'echo x >> interrupts' INT; echo $$ > pid; until [ -s interrupts ]; do sleep 0.05; done; exit 42`,
      );
      terminal.stdout!.resume();
      await until(async () => (await content('pid')) !== '');
      terminal.stdin!.write('\x03');
      expect(await once(terminal, 'exit')).to.deep.equal([42, null]);
      expect(await content('interrupts')).to.equal('x\n');
      expect(isAlive(Number(await content('pid')))).to.equal(false);
    });

    it('ends with 130 when Ctrl-C ends the command', async () => {
      const terminal = atTerminal('echo $$ > second; while :; do sleep 0.05; done');
      terminal.stdout!.resume();
      await until(async () => (await content('second')) !== '');
      terminal.stdin!.write('\x03');
      expect(await once(terminal, 'exit')).to.deep.equal([130, null]);
      expect(isAlive(Number(await content('second')))).to.equal(false);
    });

    it('gives the terminal to the command, and the line for those who wait is gone before', async () => {
      const terminal = atTerminal('test -t 0 && test -t 1 && printf "at a terminal"');
      let text = '';
      terminal.stdout!.on('data', (chunk) => {
        text += chunk;
      });
      expect((await once(terminal, 'close'))[0]).to.equal(0);
      const [waited, ...rest] = text.split('\r\u001b[K').filter((part) => part !== '');
      expect(waited).to.match(/^⠋ waiting for a proxy/);
      expect(rest.at(-1)).to.equal('at a terminal');
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
