// What another X.509 implementation makes of our certificates. Only where openssl is installed.

import { execFileSync, spawnSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import forge from 'node-forge';
import { openAuthority } from '../../src/tls/authority/authority.js';
import { openKeyFile } from '../../src/tls/files/key-file.js';
import {
  type CertifiedKey,
  newKeyPair,
  serverCertificate,
  validFor,
} from '../../src/tls/x509/x509.js';
import { temporaryHome } from './support.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.log('  (no openssl here: its checks of our certificates are left out)');

const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8' });

/** Exit status and messages of `openssl verify` for a TLS server's leaf. */
function verify(home: string, pem: string): { ok: boolean; said: string } {
  const path = join(home, 'leaf.pem');
  writeFileSync(path, pem);
  const ca = join(home, 'certs', 'ca.pem');
  const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, path];
  const result = spawnSync('openssl', args, { encoding: 'utf8' });
  return { ok: result.status === 0, said: result.stdout + result.stderr };
}

/** The CA's own key, to sign with it what the program itself refuses to. */
async function stolenAuthority(home: string): Promise<CertifiedKey> {
  await openAuthority(home);
  const make = () => expect.fail('the CA should be there');
  return openKeyFile({ folder: join(home, 'certs'), name: 'ca', make, keep: () => true });
}

function leaf(authority: CertifiedKey, name: string): string {
  const { publicKey } = newKeyPair();
  return serverCertificate({ ...validFor(90), names: [name], publicKey }, authority).toString();
}

if (hasOpenssl) {
  describe('openssl', () => {
    const home = temporaryHome();

    it('shows the critical constraint of the CA', async () => {
      const authority = await openAuthority(home());
      const text = openssl('x509', '-in', authority.path, '-noout', '-text');
      expect(text).to.match(/Name Constraints: critical\s+Permitted:\s+DNS:nostr\s+Excluded:/);
      expect(text).to.include('IP:0.0.0.0/0.0.0.0');
      expect(text).to.match(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
      expect(text).to.match(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    });

    it('accepts leaves for names under .nostr, however long', async () => {
      const authority = await stolenAuthority(home());
      const long = `${'a'.repeat(200)}.${'b'.repeat(100)}.nostr`;
      for (const name of ['x.nostr', 'y.x.nostr', long]) {
        const { ok, said } = verify(home(), leaf(authority, name));
        expect(ok, said).to.equal(true);
      }
    });

    it('refuses leaves of this CA for every other name', async () => {
      const authority = await stolenAuthority(home());
      for (const name of ['example.com', 'xnostr', 'nostr.com', 'x.nostr.com']) {
        const { ok, said } = verify(home(), leaf(authority, name));
        expect(ok, name).to.equal(false);
        expect(said).to.include('permitted subtree violation');
      }
    });

    it('refuses leaves of this CA for addresses', async () => {
      const authority = await stolenAuthority(home());
      const addresses = [
        [192, 0, 2, 7],
        [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
      ];
      for (const address of addresses) {
        const { ok, said } = verify(home(), addressLeaf(authority, Buffer.from(address)));
        expect(ok).to.equal(false);
        expect(said).to.include('excluded subtree violation');
      }
    });
  });
}

/**
 * A leaf whose SAN is an address, which x509.ts has no way to say: a leaf with a DNS name of as many
 * bytes is made, the name's tag changed from dNSName to iPAddress, and the certificate signed again.
 */
function addressLeaf(authority: CertifiedKey, address: Buffer): string {
  const { asn1 } = forge;
  const placeholder = 'p'.repeat(address.length);
  const pem = leaf(authority, placeholder);
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const header = Buffer.from([0x82, address.length]);
  const at = der.indexOf(Buffer.concat([header, Buffer.from(placeholder)]));
  der[at] = 0x87;
  address.copy(der, at + 2);
  const certificate = asn1.fromDer(der.toString('latin1'));
  const [toBeSigned, algorithm] = certificate.value as forge.asn1.Asn1[];
  const signed = Buffer.from(asn1.toDer(toBeSigned!).getBytes(), 'latin1');
  const signature = sign('sha256', signed, authority.privateKey);
  const parts = [
    toBeSigned!,
    algorithm!,
    asn1.create(0, asn1.Type.BITSTRING, false, `\0${signature.toString('latin1')}`),
  ];
  const whole = asn1.toDer(asn1.create(0, asn1.Type.SEQUENCE, true, parts)).getBytes();
  const body = Buffer.from(whole, 'latin1').toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${body.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}
