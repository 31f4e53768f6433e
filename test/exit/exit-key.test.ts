// The key file: made, read back, and refused when it is not private or not a key.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nsecEncode } from 'nostr-tools/nip19';
import { NwsError } from '../../src/errors.js';
import { openIdentity, readKeyFile, writeKeyFile } from '../../src/exit/exit-key.js';

describe('exit/identity', () => {
  const HEX = '7f7ff03d123792d6ac594bfa67bf6d0c0ab55b6b1fdb6249303fe861f1ccba9a';
  let home: string;
  let path: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'nws-identity-'));
    path = join(home, 'exit.key');
  });
  afterEach(() => rm(home, { recursive: true }));

  async function refusal(act: Promise<unknown>): Promise<NwsError> {
    const error: unknown = await act.then(
      () => expect.fail('nothing was refused'),
      (cause: unknown) => cause,
    );
    if (!(error instanceof NwsError)) throw error;
    expect(error.code).to.equal('bad_config');
    expect(error.hint).not.to.equal(undefined);
    return error;
  }

  it('makes a key on first use, for its owner alone, and finds it again', async () => {
    const made = await openIdentity(join(home, 'new', 'folder'));
    expect(made).to.have.length(32);
    const file = join(home, 'new', 'folder', 'exit.key');
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect((await stat(join(home, 'new', 'folder'))).mode & 0o777).to.equal(0o700);
    expect(await openIdentity(join(home, 'new', 'folder'))).to.deep.equal(made);
    expect(await readFile(file, 'utf8')).to.equal(`${Buffer.from(made).toString('hex')}\n`);
  });

  it('gives the same key to all that start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => openIdentity(home)));
    const distinct = new Set(keys.map((key) => Buffer.from(key).toString('hex')));
    expect(distinct.size).to.equal(1);
  });

  it('reads hex and nsec, also through a link', async () => {
    const bytes = new Uint8Array(Buffer.from(HEX, 'hex'));
    for (const text of [HEX, ` ${HEX.toUpperCase()}\n`, `${nsecEncode(bytes)}\n`]) {
      await writeFile(path, text, { mode: 0o600 });
      expect(Buffer.from(await readKeyFile(path)).toString('hex')).to.equal(HEX);
      await rm(path);
    }
    await writeFile(path, HEX, { mode: 0o400 });
    await symlink(path, join(home, 'link'));
    expect(Buffer.from(await readKeyFile(join(home, 'link'))).toString('hex')).to.equal(HEX);
  });

  it('refuses a file that group or others can reach', async () => {
    for (const mode of [0o640, 0o604, 0o620, 0o601, 0o644]) {
      await writeFile(path, HEX);
      execFileSync('chmod', [mode.toString(8), path]);
      const error = await refusal(openIdentity(home));
      expect(error.message).to.contain(mode.toString(8));
      expect(error.hint).to.contain('chmod 600');
      await rm(path);
    }
  });

  it('refuses what is no key, and never repeats it', async () => {
    for (const text of [
      '',
      'hello',
      HEX.slice(1),
      `${HEX}00`,
      '0'.repeat(64),
      'f'.repeat(64),
      `nsec1${'q'.repeat(58)}`,
    ]) {
      await writeFile(path, text, { mode: 0o600 });
      const error = await refusal(readKeyFile(path));
      if (text !== '') expect(error.line + String(error.cause)).not.to.contain(text);
      await rm(path);
    }
  });

  it('refuses a folder and a pipe, without waiting for the pipe', async () => {
    expect((await refusal(readKeyFile(home))).message).to.contain('not a regular file');
    execFileSync('mkfifo', ['-m', '600', path]);
    expect((await refusal(readKeyFile(path))).message).to.contain('not a regular file');
  });

  it('names a file that is not there', async () => {
    expect((await refusal(readKeyFile(path))).message).to.contain(path);
  });

  it('writes a new key and never over another one', async () => {
    const written = await writeKeyFile(path);
    expect(await readKeyFile(path)).to.deep.equal(written);
    await refusal(writeKeyFile(path));
    expect(await readKeyFile(path)).to.deep.equal(written);
  });
});
