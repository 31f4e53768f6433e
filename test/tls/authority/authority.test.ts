import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { NwsError } from '../../../src/errors.js';
import { type LocalAuthority, openAuthority } from '../../../src/tls/authority/authority.js';
import { selfSigned, temporaryHome } from '../support.js';

const run = promisify(execFile);

describe('authority', () => {
  const home = temporaryHome();
  const keyPath = () => join(home(), 'certs', 'ca-key.pem');

  it('is made on first use and stays the same', async () => {
    const first = await openAuthority(home());
    const second = await openAuthority(home());
    expect(first.path).to.equal(join(home(), 'certs', 'ca.pem'));
    expect(readFileSync(first.path, 'utf8')).to.equal(first.pem);
    expect(second.pem).to.equal(first.pem);
    expect(second.fingerprint)
      .to.equal(first.fingerprint)
      .and.to.match(/^[0-9a-f]{64}$/);
  });

  it('keeps the key to its owner', async () => {
    const { path } = await openAuthority(home());
    expect(statSync(keyPath()).mode & 0o777).to.equal(0o600);
    expect(statSync(path).mode & 0o777).to.equal(0o644);
    expect(statSync(join(home(), 'certs')).mode & 0o777).to.equal(0o700);
    expect(readFileSync(path, 'utf8')).not.to.include('PRIVATE');
  });

  it('writes the public copy again when it is gone', async () => {
    const { path, pem } = await openAuthority(home());
    rmSync(path);
    await openAuthority(home());
    expect(readFileSync(path, 'utf8')).to.equal(pem);
  });

  it('is the same one for processes that start at once', async () => {
    const module = new URL('../../../src/tls/authority/authority.ts', import.meta.url).href;
    const code = `
      const { openAuthority } = await import(${JSON.stringify(module)});
      process.stdout.write((await openAuthority(${JSON.stringify(home())})).pem);`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const starts = Array.from({ length: 3 }, () => run(process.execPath, args));
    const pems = (await Promise.all(starts)).map(({ stdout }) => stdout);
    expect(new Set(pems).size).to.equal(1);
    expect((await openAuthority(home())).pem).to.equal(pems[0]);
  });

  it('refuses a key that others can read', async () => {
    await openAuthority(home());
    chmodSync(keyPath(), 0o640);
    const error = await refusal(openAuthority(home()));
    expect(error.message).to.include('others');
    expect(error.hint).to.include('chmod 600');
  });

  it('refuses broken content without quoting it', async () => {
    await openAuthority(home());
    const content = readFileSync(keyPath(), 'utf8');
    for (const broken of ['', 'secret words', content.slice(0, 150), content.slice(300)]) {
      writeFileSync(keyPath(), broken);
      const error = await refusal(openAuthority(home()));
      expect(error.message).to.equal(`${keyPath()} holds no private key with its certificate`);
      expect(error.cause).to.equal(undefined);
    }
  });

  it('says what is wrong with a home that is no folder', async () => {
    const file = join(home(), 'file');
    writeFileSync(file, '');
    const error = await refusal(openAuthority(file));
    expect(error.message).to.include(file);
    expect(error.hint).to.include('--home');
  });

  it('refuses a CA that is not limited to .nostr', async () => {
    await openAuthority(home());
    const other = selfSigned();
    const key = other.privateKey.export({ format: 'pem', type: 'pkcs8' });
    writeFileSync(keyPath(), `${key}${other.certificate}`);
    expect((await refusal(openAuthority(home()))).message).to.include('not limited');
  });

  it('serves leaves that a client trusts by the CA alone, also for names over 255 characters', async () => {
    const authority = await openAuthority(home());
    const long = `${'a'.repeat(120)}.${'b'.repeat(120)}.${'c'.repeat(52)}.nostr`;
    for (const host of ['x.nostr', long]) {
      const peer = await clientView(authority, host);
      expect(peer.subjectAltName).to.equal(`DNS:${host}`);
      expect(peer.checkIssued(new X509Certificate(authority.pem))).to.equal(true);
      const days = (new Date(peer.validTo).getTime() - Date.now()) / 86_400_000;
      expect(days).to.be.within(89, 91);
    }
  });

  it('makes a leaf once for a name, in whatever case', async () => {
    const { leafFor } = await openAuthority(home());
    expect(leafFor('X.Nostr.')).to.equal(leafFor('x.nostr'));
    expect(leafFor('y.nostr')).not.to.equal(leafFor('x.nostr'));
  });

  it('forgets the leaf that was unused for longest beyond its bound', async () => {
    const { leafFor } = await openAuthority(home());
    const kept = leafFor('kept.nostr');
    const dropped = leafFor('dropped.nostr');
    for (let index = 0; index < 999; index += 1) {
      leafFor('kept.nostr');
      leafFor(`n${index}.nostr`);
    }
    expect(leafFor('kept.nostr')).to.equal(kept);
    expect(leafFor('dropped.nostr')).not.to.equal(dropped);
  });

  it('vouches for no other name', async () => {
    const { leafFor } = await openAuthority(home());
    for (const host of ['example.com', 'nostr', '192.0.2.1', 'npub1abc', 'a b.nostr', '']) {
      expect(() => leafFor(host))
        .to.throw()
        .with.property('code', 'bad_name');
    }
  });
});

async function refusal(promise: Promise<unknown>): Promise<NwsError> {
  const error = await promise.then(
    () => expect.fail('should have been refused'),
    (reason: NwsError) => reason,
  );
  expect(error.code).to.equal('bad_config');
  return error;
}

/** The certificate that a client gets which verifies it against the CA. */
async function clientView(authority: LocalAuthority, host: string): Promise<X509Certificate> {
  const [near, far] = duplexPair();
  const server = new tls.TLSSocket(far, {
    isServer: true,
    secureContext: authority.leafFor(host),
  });
  const client = tls.connect({ socket: near, host, servername: host, ca: authority.pem });
  await once(client, 'secureConnect');
  const certificate = client.getPeerX509Certificate();
  client.destroy();
  server.destroy();
  return certificate ?? expect.fail('no certificate');
}
