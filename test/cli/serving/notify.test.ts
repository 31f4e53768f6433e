// Readiness for a service manager: told once it is true, by systemd's own program.

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../support/until.js';
import { start, useTempFolder } from '../harness.js';

describe('sd_notify', () => {
  const folder = useTempFolder();
  const argv = ['relay', '--listen', '127.0.0.1:0', '--json', '--log-format', 'json'];

  /** Runs a relay to its end, with a PATH of this folder and a stand-in for systemd-notify, if there is to be one. */
  async function service(env: Record<string, string>): Promise<string> {
    const running = start(folder.path, argv, env);
    let isTold = env.NOTIFY_SOCKET === undefined;
    running.io.stderr.on('data', () => {
      isTold = true;
    });
    expect(await running.firstOutput()).to.include('"ready"');
    await until(async () => isTold || (await told()) !== '');
    running.io.signals.emit('signal', 'SIGTERM');
    const { status, stderr } = await running.result;
    expect(status).to.equal(0);
    return stderr;
  }

  const told = () => readFile(join(folder.path, 'told'), 'utf8').catch(() => '');

  it('says nothing where nobody wants to know', async () => {
    expect(await service({})).to.equal('');
    expect(await told()).to.equal('');
  });

  it('says so where the program for it is missing, and goes on', async () => {
    const env = { PATH: join(folder.path, 'none'), NOTIFY_SOCKET: '@nws-test' };
    expect(await service(env))
      .to.match(/can't tell NOTIFY_SOCKET: --ready/)
      .and.match(/no systemd-notify/);
  });

  it('says ready, and that it stops', async () => {
    await mkdir(join(folder.path, 'bin'));
    const program = join(folder.path, 'bin', 'systemd-notify');
    await writeFile(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${folder.path}/told\n`);
    await chmod(program, 0o755);
    const env = { PATH: `${join(folder.path, 'bin')}:/usr/bin:/bin`, NOTIFY_SOCKET: '@nws-test' };
    expect(await service(env)).to.equal('');
    await until(async () => (await told()).includes('STOPPING'));
    expect(await told()).to.equal('@nws-test --ready\n@nws-test STOPPING=1\n');
  });
});
