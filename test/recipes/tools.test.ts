// More of what people do with the tools of the recipes: a push of many megabytes and the clone of it, and ssh by every
// helper that there is. NWS_GIT_MB=50 sets the size.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { has } from '../e2e/support/tools.js';
import { Ground } from './ground.js';
import { gitServer } from './servers/git.js';
import { canServeSsh, sshServer, USER } from './servers/sshd.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MEGABYTES = Number(process.env.NWS_GIT_MB ?? 3);
const ID = '-c user.name=me -c user.email=me@example.com';

describe('tools', function () {
  this.timeout(60_000 + MEGABYTES * 3_000);
  let ground: Ground;

  before(async () => {
    if (!existsSync(`${ROOT}dist/main.js`)) throw new Error('dist/ is missing: npm run build');
    ground = await Ground.start();
  });
  after(() => ground.close());

  it(`git pushes ${MEGABYTES} MB and clones them`, async function () {
    if (!has('git', ['http-backend'], /Status/)) return this.skip();
    const domain = await ground.exitFor(gitServer(join(ground.folder, 'git')));
    const cwd = join(ground.folder, 'git-work');
    mkdirSync(cwd);
    const bytes = randomBytes(MEGABYTES * 1_000_000);
    writeFileSync(join(cwd, 'bytes'), bytes);
    const script = `
      nws run -- git clone --quiet https://<name>.nostr/project.git one
      cp bytes one/ && cd one && git add bytes && git ${ID} commit --quiet --message=bytes
      nws run -- git push --quiet && cd ..
      nws run -- git clone --quiet https://<name>.nostr/project.git two`;
    const { status, stdout } = await ground.run(script, cwd, domain);
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: '' });
    expect(readFileSync(join(cwd, 'two/bytes')).equals(bytes)).to.equal(true);
  });

  describe('ssh', () => {
    let domain: string;
    let stop: (() => Promise<void>) | undefined;

    before(async function () {
      if (!canServeSsh() || !has('ssh', ['-V'])) {
        console.log('    (no sshd can be started here: these are left out)');
        return this.skip();
      }
      const service = await sshServer(join(ground.folder, 'sshd'), join(ground.folder, 'bin'));
      ({ stop } = service);
      domain = await ground.exitFor(service);
    });
    after(() => stop?.());

    const ways: readonly (readonly [tool: string, command: string])[] = [
      ['ncat', 'ncat --proxy 127.0.0.1:8882 --proxy-type http %h %p'],
      ['ncat', 'ncat --proxy 127.0.0.1:8882 --proxy-type socks5 --proxy-dns remote %h %p'],
      ['nc', 'nc -X connect -x 127.0.0.1:8882 %h %p'],
      ['nc', 'nc -X 5 -x 127.0.0.1:8882 %h %p'],
    ];
    for (const [tool, command] of ways) {
      it(`goes by ${command.replaceAll(/ (127[^ ]*|%h|%p)/g, '')}`, async function () {
        if (!has(tool, ['-h'], tool === 'nc' ? /-X proto/ : /--proxy/)) return this.skip();
        const script = `head -c 300000 /dev/zero | ssh -o ProxyCommand='${command}' ${USER}@<name>.nostr wc -c`;
        const { status, stdout } = await ground.run(script, ground.folder, domain);
        expect({ status, stdout }).to.deep.equal({ status: 0, stdout: '300000\n' });
      });
    }

    it('goes by the script in examples/', async function () {
      if (!has('nc', ['-h'], /-X proto/)) return this.skip();
      const script = `NWS_PROXY=127.0.0.1:8882 ${ROOT}examples/ssh ${USER}@<name>.nostr echo hello`;
      const { status, stdout } = await ground.run(script, ground.folder, domain);
      expect({ status, stdout }).to.deep.equal({ status: 0, stdout: 'hello\n' });
    });
  });
});
