// The commands that print a result: what they say, as text and as JSON, and which files they make.

import { X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createSigner } from '../../src/crypto/signer.js';
import { decodeHost, encodeNpub } from '../../src/protocol/names/address.js';
import { jsonLines, run, useTempFolder } from './harness.js';

const { pubkey } = createSigner(Buffer.from('11'.repeat(32), 'hex'));
const RELAY = 'ws://relay.example:7777';

async function json(folder: string, ...argv: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await run(folder, [...argv, '--json']);
  expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  const lines = jsonLines(stdout);
  expect(lines).to.have.length(1);
  return lines[0]!;
}

describe('nws name and nws resolve', () => {
  const folder = useTempFolder();

  it('are each other’s inverse', async () => {
    const named = await json(folder.path, 'name', '--pubkey', pubkey, '--relay', RELAY);
    expect(named).to.include({ pubkey, npub: encodeNpub(pubkey) });
    expect(decodeHost(String(named.domain))).to.deep.equal({ pubkey, relays: [RELAY] });
    for (const name of [named.domain, named.nprofile, `${named.nprofile}.nostr`]) {
      const resolved = await json(folder.path, 'resolve', String(name));
      expect(resolved).to.deep.include({ pubkey, npub: named.npub, relays: [RELAY] });
      expect(resolved.relaySources).to.deep.equal(['name']);
    }
  });

  it('take the key as npub, and the relays from NOSTR_RELAYS', async () => {
    const argv = ['name', '--pubkey', encodeNpub(pubkey)];
    const { status, stdout } = await run(folder.path, argv, { NOSTR_RELAYS: RELAY });
    expect(status).to.equal(0);
    const [domain, nprofile] = stdout.split('\n');
    expect(decodeHost(domain!)).to.deep.equal({ pubkey, relays: [RELAY] });
    expect(decodeHost(nprofile!)).to.deep.equal({ pubkey, relays: [RELAY] });
  });

  it('tell of a key without relays that none are known', async () => {
    const resolved = await json(folder.path, 'resolve', encodeNpub(pubkey));
    expect(resolved).to.deep.include({ pubkey, relays: [], relaySources: [], source: 'npub' });
    const { stdout } = await run(folder.path, ['resolve', encodeNpub(pubkey)]);
    expect(stdout).to.match(/relays +none known/);
  });

  it('follow aliases', async () => {
    const alias = `shop.nostr=${encodeNpub(pubkey)}`;
    const resolved = await json(folder.path, 'resolve', 'shop.nostr', '--alias', alias);
    expect(resolved).to.deep.include({ pubkey, source: 'alias' });
  });
});

describe('nws keygen', () => {
  const folder = useTempFolder();

  it('writes a key that only its owner can read, and prints the public half', async () => {
    const path = join(folder.path, 'new.key');
    const made = await json(folder.path, 'keygen', '--out', 'new.key');
    const secret = (await readFile(path, 'utf8')).trim();
    const { pubkey } = createSigner(Buffer.from(secret, 'hex'));
    expect(made).to.deep.equal({ path, pubkey, npub: encodeNpub(pubkey) });
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('refuses to overwrite', async () => {
    await writeFile(join(folder.path, 'old.key'), 'precious');
    const { status, stderr } = await run(folder.path, ['keygen', '--out', 'old.key']);
    expect(status).to.equal(2);
    expect(stderr).to.match(/^nws: .*old\.key exists\nhint: .*\n$/);
    expect(await readFile(join(folder.path, 'old.key'), 'utf8')).to.equal('precious');
  });

  it('writes the key of the exit where no file is named, in a folder for its owner alone', async () => {
    const { path } = await json(folder.path, 'keygen');
    expect(path).to.equal(join(folder.path, 'home', 'exit.key'));
    expect((await stat(join(folder.path, 'home'))).mode & 0o777).to.equal(0o700);
  });
});

describe('nws ca', () => {
  const folder = useTempFolder();

  it('makes the CA on first use, and tells where it is and what it is', async () => {
    const { path, fingerprint } = await json(folder.path, 'ca');
    expect(path).to.equal(join(folder.path, 'home', 'certs', 'ca.pem'));
    const certificate = new X509Certificate(await readFile(String(path)));
    expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).to.equal(fingerprint);
    expect(await json(folder.path, 'ca')).to.deep.include({ path, fingerprint });
  });

  it('prints the certificate or its path alone', async () => {
    const path = join(folder.path, 'home', 'certs', 'ca.pem');
    const pem = await run(folder.path, ['ca', '--pem']);
    expect(pem.stdout.trim()).to.equal((await readFile(path, 'utf8')).trim());
    expect((await run(folder.path, ['ca', '--path'])).stdout).to.equal(`${path}\n`);
  });

  it('says how each tool is told', async () => {
    const { stdout } = await run(folder.path, ['ca']);
    for (const tool of ['curl', 'git', 'wget', 'npm', 'pip', 'Firefox']) {
      expect(stdout).to.match(new RegExp(`^  ${tool} .*`, 'm'));
    }
  });

  it('says so where the home folder can’t be made', async () => {
    await writeFile(join(folder.path, 'file'), '');
    const { status, stderr } = await run(folder.path, ['ca', '--home', 'file/home']);
    expect(status).to.equal(2);
    expect(stderr).to.match(/can't make the folder .*file.home \(ENOTDIR\)\nhint: .*--home/);
  });
});

describe('nws exit with a key file', () => {
  const folder = useTempFolder();
  const argv = ['exit', '--target', 'http://127.0.0.1:1', '--relay', 'ws://127.0.0.1:1'];
  const cases: readonly [what: string, content: string, mode: number, message: RegExp][] = [
    ['that others can read', `${'11'.repeat(32)}\n`, 0o644, /mode 0644/],
    ['without a key', 'hello\n', 0o600, /no valid key/],
  ];

  for (const [what, content, mode, message] of cases) {
    it(`refuses one ${what}`, async () => {
      const path = join(folder.path, `${mode}.key`);
      await writeFile(path, content, { mode });
      const { status, stderr } = await run(folder.path, [...argv, '--key-file', path]);
      expect(status).to.equal(2);
      expect(stderr)
        .to.match(message)
        .and.match(/\nhint: .+\n$/)
        .and.not.include(content.trim());
    });
  }

  it('refuses one that isn’t there', async () => {
    const { status, stderr } = await run(folder.path, [...argv, '--key-file', 'none.key']);
    expect(status).to.equal(2);
    expect(stderr).to.match(/there is no key file .*none\.key\nhint: .*keygen/);
  });
});
