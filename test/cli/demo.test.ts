// `nws demo`, and `nws cert` against what it starts: the whole way in one process.

import { expect } from 'chai';
import { jsonLines, run, start, useTempFolder } from './harness.js';

describe('nws demo', () => {
  const folder = useTempFolder();

  it('--once fetches its page, verified step by step, and ends with 0', async () => {
    const { status, stdout, stderr } = await run(folder.path, ['demo', '--once', '--json']);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const events = jsonLines(stdout);
    expect(events.map(({ name }) => name)).to.deep.equal([
      'name',
      'relay',
      'certificate',
      'fingerprint',
      'tls',
      'http',
      'page',
      undefined,
    ]);
    expect(events.at(-1)).to.include({ event: 'ready' });
  });

  it('stays up, serves its certificate for nws cert, and ends with 0 by a signal', async () => {
    const demo = start(folder.path, ['demo']);
    let shown = '';
    await new Promise<void>((resolve) => {
      demo.io.stdout.on('data', (data) => {
        shown += data;
        if (shown.includes('Ctrl-C')) resolve();
      });
    });
    const host = /https:\/\/(\S+)\//.exec(shown)![1]!;
    const cert = await run(folder.path, ['cert', host, '--check', '--json']);
    expect(cert).to.include({ status: 0, stderr: '' });
    expect(jsonLines(cert.stdout)[0]).to.include({ host, served: true });
    const pem = await run(folder.path, ['cert', host, '--pem']);
    expect(pem.stdout).to.match(/^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n$/);
    demo.io.signals.emit('signal', 'SIGINT');
    expect(await demo.result).to.include({ status: 0, stderr: '' });
  });
});
