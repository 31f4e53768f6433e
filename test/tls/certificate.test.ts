import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { NwsError } from '../../src/errors.js';
import { encodeName, encodeNpub } from '../../src/protocol/names/address.js';
import { openExitCertificate } from '../../src/tls/certificate.js';
import { fingerprintOf } from '../../src/tls/x509/x509.js';
import { newSigner, selfSigned, temporaryHome } from './support.js';

describe('exit certificate', () => {
  const home = temporaryHome();
  const { pubkey } = newSigner();
  const name = encodeName({ pubkey, relays: ['ws://127.0.0.1:7777'] });
  const base = () => join(home(), 'certs', `exit-${pubkey.slice(0, 16)}`);

  it('is signed by its own key, for ten years and all names of the exit', async () => {
    const { cert, key, fingerprint } = await openExitCertificate(home(), pubkey, [name]);
    const certificate = new X509Certificate(cert);
    expect(certificate.verify(certificate.publicKey)).to.equal(true);
    expect(certificate.ca).to.equal(false);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).to.equal('prime256v1');
    expect(fingerprintOf(certificate)).to.equal(fingerprint);
    expect(key).to.include('PRIVATE KEY');
    const years = (new Date(certificate.validTo).getTime() - Date.now()) / (365 * 86_400_000);
    expect(years).to.be.closeTo(10, 0.1);
    const bare = encodeName({ pubkey, relays: [] });
    for (const host of [name, bare, `${encodeNpub(pubkey)}.nostr`]) {
      expect(certificate.checkHost(host), host).to.equal(host);
    }
  });

  it('stays the same over restarts, in whatever order and case the names come', async () => {
    const first = await openExitCertificate(home(), pubkey, [name, 'shop.nostr']);
    const second = await openExitCertificate(home(), pubkey, ['SHOP.nostr', name, name]);
    expect(second).to.deep.equal(first);
  });

  it('keeps the key to its owner and the certificate for everyone', async () => {
    const { cert, key } = await openExitCertificate(home(), pubkey, [name]);
    expect(statSync(`${base()}-key.pem`).mode & 0o777).to.equal(0o600);
    expect(statSync(`${base()}.pem`).mode & 0o777).to.equal(0o644);
    expect(readFileSync(`${base()}.pem`, 'utf8')).to.equal(cert);
    expect(readFileSync(`${base()}-key.pem`, 'utf8')).to.include(key);
  });

  it('is made again when the names change', async () => {
    const first = await openExitCertificate(home(), pubkey, [name]);
    const second = await openExitCertificate(home(), pubkey, []);
    expect(second.fingerprint).not.to.equal(first.fingerprint);
    expect(new X509Certificate(second.cert).checkHost(name)).to.equal(undefined);
    expect(readFileSync(`${base()}.pem`, 'utf8')).to.equal(second.cert);
  });

  it('is made again when its end is near', async () => {
    const { cert } = await openExitCertificate(home(), pubkey, [name]);
    const days = (count: number) => new Date(Date.now() + count * 86_400_000);
    const serves = async (daysLeft: number) => {
      const names = new X509Certificate(cert).subjectAltName!.replaceAll('DNS:', '').split(', ');
      const near = selfSigned({ notBefore: days(-60), notAfter: days(daysLeft) }, names);
      const key = near.privateKey.export({ format: 'pem', type: 'pkcs8' });
      writeFileSync(`${base()}-key.pem`, `${key}${near.certificate}`);
      const opened = await openExitCertificate(home(), pubkey, [name]);
      return opened.fingerprint === fingerprintOf(near.certificate);
    };
    expect(await serves(31)).to.equal(true);
    expect(await serves(29)).to.equal(false);
  });

  it('keeps the exits of one home apart', async () => {
    const other = newSigner().pubkey;
    const first = await openExitCertificate(home(), pubkey, []);
    const second = await openExitCertificate(home(), other, []);
    expect(second.fingerprint).not.to.equal(first.fingerprint);
    expect(existsSync(join(home(), 'certs', `exit-${other.slice(0, 16)}.pem`))).to.equal(true);
  });

  it('refuses a key file that others can read, or that is broken', async () => {
    await openExitCertificate(home(), pubkey, []);
    const refusal = () =>
      openExitCertificate(home(), pubkey, []).then(
        () => expect.fail('should have been refused'),
        (error: NwsError) => error,
      );
    chmodSync(`${base()}-key.pem`, 0o604);
    expect(await refusal()).to.include({ code: 'bad_config' });
    chmodSync(`${base()}-key.pem`, 0o600);
    writeFileSync(`${base()}-key.pem`, 'no key');
    expect(await refusal()).to.include({ code: 'bad_config' });
  });
});
