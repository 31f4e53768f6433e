// `nws completion`, in the shells themselves where they are there.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeNpub } from '../../src/protocol/names/address.js';
import { newSigner } from '../tls/support.js';
import { PROGRAM, run, useTempFolder } from './harness.js';

function isThere(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

describe('nws completion', function () {
  this.timeout(30_000);
  const folder = useTempFolder();
  const path = (name: string) => join(folder.path, name);

  before(async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { status, stdout, stderr } = await run(folder.path, ['completion', shell]);
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      await writeFile(path(shell), stdout);
    }
    await run(folder.path, ['alias', 'add', 'shop', encodeNpub(newSigner().pubkey)]);
    // The scripts call nws by its name.
    await mkdir(path('bin'));
    const words = [process.execPath, ...PROGRAM].map((word) => `'${word}'`).join(' ');
    await writeFile(path('bin/nws'), `#!/bin/sh\nexec ${words} "$@"\n`);
    await chmod(path('bin/nws'), 0o755);
  });

  function inShell(shell: string, argv: readonly string[]): string[] {
    const PATH = `${path('bin')}:${process.env.PATH}`;
    const env = { ...process.env, PATH, HOME: folder.path, NWS_HOME: path('home') };
    const text = execFileSync(shell, argv, { env, cwd: folder.path, encoding: 'utf8' });
    return text.split(/\s+/).filter((word) => word !== '');
  }

  /** What bash offers for the last of these words. */
  function bash(...words: string[]): string[] {
    const script = `source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _nws; echo "\${COMPREPLY[@]}"`;
    return inShell('bash', ['--norc', '-c', script, 'bash', ...words]);
  }

  it('completes in bash', function () {
    if (!isThere('bash')) this.skip();
    expect(bash('nws', 'pro')).to.deep.equal(['proxy']);
    expect(bash('nws', '')).to.include.members(['exit', 'doctor', 'completion', '--version']);
    expect(bash('nws', 'proxy', '--re')).to.include.members(['--relay', '--require-pin']);
    expect(bash('nws', 'proxy', '--tls', 'p')).to.deep.equal(['passthrough']);
    expect(bash('nws', 'proxy', '--tls', '=', 'p')).to.deep.equal(['passthrough']);
    expect(bash('nws', 'proxy', '--tls', '=')).to.deep.equal(['terminate', 'passthrough']);
    expect(bash('nws', 'relay', '--behave', 'str')).to.deep.equal(['strfry', 'strict']);
    expect(bash('nws', 'exit', '--key-file', 'fi')).to.deep.equal(['fish']);
    expect(bash('nws', 'alias', '')).to.deep.equal(['add', 'list', 'remove']);
    expect(bash('nws', 'resolve', 'sh')).to.deep.equal(['shop.nostr']);
    expect(bash('nws', 'run', '--', 'nw')).to.include('nws');
    expect(bash('nws', 'run', '--relay', 'x', '--', 'cat', 'fi')).to.deep.equal(['fish']);
    expect(bash('nws', 'proxy', '--listen', '')).to.deep.equal([]);
  });

  it('completes in fish', function () {
    if (!isThere('fish')) this.skip();
    const fish = (line: string) =>
      inShell('fish', [
        '--no-config',
        '-c',
        `source ./fish; complete -C ${JSON.stringify(line)} | string replace -r '\\t.*' ''; or true`,
      ]);
    expect(fish('nws pro')).to.deep.equal(['proxy']);
    expect(fish('nws proxy --tls p')).to.deep.equal(['passthrough']);
    expect(fish('nws proxy --requ')).to.deep.equal(['--require-pin']);
    expect(fish('nws resolve sh')).to.deep.equal(['shop.nostr']);
    expect(fish('nws run -- nw')).to.include('nws');
  });

  it('is a script that zsh takes, with every command', function () {
    if (!isThere('zsh')) this.skip();
    const script = `autoload -Uz compinit; compinit -u -D; source ./zsh; whence -w _nws; print \${_comps[nws]}`;
    expect(inShell('zsh', ['-f', '-c', script])).to.deep.equal(['_nws:', 'function', '_nws']);
  });

  it('goes by the shell of the user, and says which ones there are', async () => {
    const { stdout } = await run(folder.path, ['completion'], { SHELL: '/usr/bin/fish' });
    expect(stdout).to.match(/^# fish completion/);
    const { status, stderr } = await run(folder.path, ['completion', 'tcsh']);
    expect(status).to.equal(2);
    expect(stderr).to.equal(
      'nws: there are no completions for tcsh\nhint: name one: bash, zsh or fish\n',
    );
  });
});
