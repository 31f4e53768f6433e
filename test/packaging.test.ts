// What ships beside the program: units that systemd takes, and an image that is built of files that are there.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('units for systemd', function () {
  this.timeout(30_000);
  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

  for (const role of ['exit', 'proxy']) {
    const unit = join(ROOT, `packaging/systemd/nws-${role}.service`);

    it(`${role}: systemd finds nothing wrong`, function () {
      if (!hasSystemd) this.skip();
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], {
        encoding: 'utf8',
      });
      expect({ status, said: stdout + stderr }).to.deep.equal({ status: 0, said: '' });
    });

    it(`${role}: systemd finds it little exposed`, function () {
      if (!hasSystemd) this.skip();
      const argv = ['security', '--offline=true', '--threshold=25', unit];
      const { status, stderr } = spawnSync('systemd-analyze', argv, { encoding: 'utf8' });
      if (/unrecognized option/.test(stderr)) this.skip();
      expect(status).to.equal(0);
    });

    it(`${role}: takes what is needed for readiness and for reading settings again`, () => {
      const text = read(`packaging/systemd/nws-${role}.service`);
      for (const line of ['Type=notify', 'NotifyAccess=all', 'ExecReload=kill -HUP $MAINPID']) {
        expect(text.split('\n')).to.include(line);
      }
    });
  }
});

describe('the image', () => {
  it('is built of files that are there, and of no others', () => {
    const kept = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    expect(kept).to.include('!src');
    for (const path of kept) expect(existsSync(join(ROOT, path.slice(1))), path).to.equal(true);
  });

  it('runs as a user without rights', () => {
    expect(read('Dockerfile')).to.match(/^USER node$/m);
  });

  it('has a compose file that docker-compose takes, where that is there', async function () {
    this.timeout(30_000);
    if (spawnSync('docker-compose', ['--version']).status !== 0) return this.skip();
    const folder = await mkdtemp(join(tmpdir(), 'nws-compose-'));
    try {
      const file = join(folder, 'compose.yaml');
      await writeFile(file, read('compose.yaml'));
      const env = { ...process.env, NWS_AUTH: 'user:password' };
      const text = execFileSync('docker-compose', ['-f', file, 'config'], {
        env,
        encoding: 'utf8',
      });
      for (const name of ['relay', 'web', 'exit', 'proxy'])
        expect(text).to.include(`\n  ${name}:\n`);
      const { NWS_AUTH: _, ...without } = env;
      const refused = spawnSync('docker-compose', ['-f', file, 'config'], { env: without });
      expect(refused.status).to.not.equal(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
