// What the tests of tls/ share: a home that goes away, exits with events, certificates of every kind.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventTemplate, Event as NostrEvent } from 'nostr-tools';
import { createSigner, generateSecretKey, type Signer } from '../../src/crypto/signer.js';
import { certificateEvent } from '../../src/protocol/wire/events.js';
import {
  type CertifiedKey,
  fingerprintOf,
  newKeyPair,
  serverCertificate,
  type Validity,
  validFor,
} from '../../src/tls/x509/x509.js';

/** A new folder for each test of the suite, removed after it. */
export function temporaryHome(): () => string {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'nws-tls-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  return () => home;
}

export const newSigner = (): Signer => createSigner(generateSecretKey());

export const nowS = (): number => Math.floor(Date.now() / 1000);

export function selfSigned(
  validity: Validity = validFor(30),
  names: readonly string[] = ['x.nostr'],
): CertifiedKey {
  const keys = newKeyPair();
  const fields = { ...validity, names, publicKey: keys.publicKey };
  return { certificate: serverCertificate(fields, keys), privateKey: keys.privateKey };
}

/** A certificate event as an exit publishes it, for one certificate or several. */
export function certificateTemplate(
  signer: Signer,
  certificates: readonly CertifiedKey[],
  createdAt = nowS(),
): EventTemplate {
  const pem = certificates.map(({ certificate }) => certificate.toString()).join('');
  const fingerprint = fingerprintOf(certificates[0]!.certificate);
  return certificateEvent(pem, signer.pubkey, fingerprint, createdAt);
}

export function signedCertificate(
  signer: Signer,
  certificates: readonly CertifiedKey[],
  createdAt = nowS(),
): NostrEvent {
  return signer.sign(certificateTemplate(signer, certificates, createdAt));
}

/** The same event with another signature, which doesn't fit. */
export function forged(event: NostrEvent): NostrEvent {
  const { id, pubkey, created_at, kind, tags, content } = event;
  return { id, pubkey, created_at, kind, tags, content, sig: randomBytes(64).toString('hex') };
}
