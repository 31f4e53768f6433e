// `nws run`: what its command gets, and what it hands back.

import { chmod, readFile, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { certificatesIn } from '../../src/cli/run/certificates.js';
import { run, start, useTempFolder } from './harness.js';

describe('nws run', () => {
  const folder = useTempFolder();

  /** The environment of the command. */
  async function environment(env: Record<string, string> = {}): Promise<Record<string, string>> {
    const path = join(folder.path, 'environment.json');
    const script = `fs.writeFileSync(${JSON.stringify(path)}, JSON.stringify(process.env))`;
    const argv = ['run', '--', process.execPath, '-e', script];
    const result = await run(folder.path, argv, env);
    expect(result).to.deep.equal({ status: 0, stdout: '', stderr: '' });
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, string>;
  }

  it('has the exit status of its command', async () => {
    expect(await run(folder.path, ['run', '--', 'sh', '-c', 'exit 7'])).to.include({ status: 7 });
    expect(await run(folder.path, ['run', '--', 'true'])).to.include({ status: 0 });
  });

  it('has 128 and the number where a signal ended its command', async () => {
    const argv = ['run', '--', 'sh', '-c', 'kill -KILL $$'];
    expect(await run(folder.path, argv)).to.include({ status: 137 });
  });

  it('tells a command that is missing from one that can’t be executed', async () => {
    const missing = await run(folder.path, ['run', '--', 'no-such-command']);
    expect(missing.status).to.equal(127);
    expect(missing.stderr).to.match(/^nws: no-such-command: not found\nhint: /);
    const plain = join(folder.path, 'plain');
    await writeFile(plain, '');
    await chmod(plain, 0o644);
    expect(await run(folder.path, ['run', '--', plain])).to.include({ status: 126 });
  });

  it('hands over signals', async () => {
    const ready = appears(folder.path, 'ready');
    const script = `trap 'exit 42' TERM; echo > ready; while :; do sleep 0.05; done`;
    const running = start(folder.path, ['run', '--', 'sh', '-c', script]);
    await ready;
    running.io.signals.emit('signal', 'SIGTERM');
    expect(await running.result).to.include({ status: 42 });
    expect(running.io.signals.listenerCount('signal')).to.equal(0);
  });

  it('leaves what follows -- alone', async () => {
    const path = join(folder.path, 'words');
    const words = ['--json', '-x', '007', '--relay=y', '--', '$HOME'];
    const script = `printf '%s\\n' "$@" > '${path}'`;
    await run(folder.path, ['run', '--', 'sh', '-c', script, 'sh', ...words]);
    expect((await readFile(path, 'utf8')).trimEnd().split('\n')).to.deep.equal(words);
  });

  it('sets the proxy, and the CA next to all that was trusted before', async () => {
    const env = await environment({ NO_PROXY: 'internal.example' });
    const url = env.HTTPS_PROXY;
    expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(env).to.include({ HTTP_PROXY: url, http_proxy: url, https_proxy: url });
    expect(env).to.include({ NO_PROXY: 'internal.example', NODE_USE_ENV_PROXY: '1' });
    const ca = (await readFile(join(folder.path, 'home/certs/ca.pem'), 'utf8')).trim();
    expect((await readFile(env.NODE_EXTRA_CA_CERTS!, 'utf8')).trim()).to.equal(ca);
    const bundle = await readFile(env.CURL_CA_BUNDLE!, 'utf8');
    expect([...certificatesIn(bundle)]).to.include.members([...certificatesIn(ca)]);
    expect(certificatesIn(bundle).size).to.be.greaterThan(20);
    for (const variable of ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'PIP_CERT', 'GIT_SSL_CAINFO']) {
      expect(env[variable]).to.equal(env.CURL_CA_BUNDLE);
    }
    expect(env.npm_config_cafile).to.equal(env.CURL_CA_BUNDLE);
    expect(await readFile(env.WGETRC!, 'utf8')).to.match(/^ca_certificate = .*ca\.pem$/m);
  });

  it('warns of a NO_PROXY by which .nostr hosts would not be found', async () => {
    const { status, stderr } = await run(folder.path, ['run', '--', 'true'], { NO_PROXY: '*' });
    expect(status).to.equal(0);
    expect(stderr).to.match(/NO_PROXY has \*: tools will not find \.nostr hosts/);
  });
});

/** Resolves when a file of that name appears in the folder. */
async function appears(folder: string, name: string): Promise<void> {
  for await (const { filename } of watch(folder)) if (filename === name) return;
}
