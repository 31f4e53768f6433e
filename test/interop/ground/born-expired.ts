// A certificate as the Go program makes them: self-signed, and expired at birth, since its notAfter is its notBefore.

import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

export interface BornExpired {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export function bornExpired(name: string): BornExpired {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  const subject = [{ name: 'organizationName', value: 'NWS' }];
  const bornAt = new Date();
  certificate.serialNumber = '01';
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.validity.notBefore = bornAt;
  certificate.validity.notAfter = bornAt;
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: privateKey };
}
