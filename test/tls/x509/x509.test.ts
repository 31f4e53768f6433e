// Certificates as Node reads them; openssl's judgement of the same is in openssl.test.ts.

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  authorityCertificate,
  fingerprintOf,
  isNostrAuthority,
  newKeyPair,
  serverCertificate,
  validFor,
} from '../../../src/tls/x509/x509.js';

describe('x509', () => {
  const keys = newKeyPair();
  const authority = authorityCertificate(keys, validFor(3_650));
  const leafKeys = newKeyPair();
  const leaf = serverCertificate(
    { ...validFor(90), names: ['a.nostr', 'b.a.nostr'], publicKey: leafKeys.publicKey },
    { certificate: authority, privateKey: keys.privateKey },
  );

  it('makes a CA that signed itself and is limited to .nostr', () => {
    expect(authority.ca).to.equal(true);
    expect(authority.verify(keys.publicKey)).to.equal(true);
    expect(authority.checkPrivateKey(keys.privateKey)).to.equal(true);
    expect(isNostrAuthority(authority)).to.equal(true);
  });

  it('makes leaves that the CA signed, with the names in the SAN', () => {
    expect(leaf.ca).to.equal(false);
    expect(leaf.verify(keys.publicKey)).to.equal(true);
    expect(leaf.verify(leafKeys.publicKey)).to.equal(false);
    expect(leaf.checkIssued(authority)).to.equal(true);
    expect(leaf.subjectAltName).to.equal('DNS:a.nostr, DNS:b.a.nostr');
    expect(leaf.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1']);
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).to.equal('prime256v1');
    expect(isNostrAuthority(leaf)).to.equal(false);
  });

  it('names the SHA-256 of the DER as fingerprint', () => {
    const shown = leaf.fingerprint256.replaceAll(':', '').toLowerCase();
    expect(fingerprintOf(leaf)).to.equal(shown);
  });

  it('backdates by a day, for clocks that are behind', () => {
    const { notBefore, notAfter } = validFor(2, new Date('2026-05-05T00:00:00Z'));
    expect(notBefore.toISOString()).to.equal('2026-05-04T00:00:00.000Z');
    expect(notAfter.toISOString()).to.equal('2026-05-07T00:00:00.000Z');
  });

  it('writes dates before and after 2050 so that they are read back', () => {
    for (const end of ['2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z', '2099-06-01T12:00:00Z']) {
      const dates = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date(end) };
      const certificate = serverCertificate(
        { ...dates, names: ['a.nostr'], publicKey: keys.publicKey },
        keys,
      );
      expect(new Date(certificate.validTo)).to.deep.equal(dates.notAfter);
      // UTCTime is tag 23, GeneralizedTime tag 24 (RFC 5280, section 4.1.2.5).
      const generalized = certificate.raw.includes(Buffer.from([24, 15]));
      expect(generalized).to.equal(dates.notAfter.getUTCFullYear() >= 2050);
    }
  });

  it('gives each certificate its own positive serial number of 16 bytes', () => {
    const serials = Array.from({ length: 50 }, () => {
      const fields = { ...validFor(1), names: ['a.nostr'], publicKey: keys.publicKey };
      return serverCertificate(fields, keys).serialNumber;
    });
    expect(new Set(serials).size).to.equal(50);
    for (const serial of serials) expect(serial).to.match(/^[4-7][0-9A-F]{31}$/);
  });

  it('carries names of any length', () => {
    const name = fc
      .array(fc.stringMatching(/^[a-v0-9]{1,200}$/), { minLength: 1, maxLength: 8 })
      .map((labels) => `${labels.join('.')}.nostr`);
    fc.assert(
      fc.property(name, (host) => {
        const fields = { ...validFor(1), names: [host], publicKey: keys.publicKey };
        const certificate = new X509Certificate(serverCertificate(fields, keys).toString());
        expect(certificate.subjectAltName).to.equal(`DNS:${host}`);
      }),
      { numRuns: 50 },
    );
  });
});
