// The exit's own certificate: self-signed, because what makes it trustworthy is the event that carries it.
// Publishing it is the exit's matter, comparing it is handshake.ts's.

import { join } from 'node:path';
import { encodeName, encodeNpub } from '../protocol/names/address.js';
import { openKeyFile, privatePem } from './files/key-file.js';
import {
  type CertifiedKey,
  fingerprintOf,
  newKeyPair,
  serverCertificate,
  validFor,
} from './x509/x509.js';

const EXIT_DAYS = 3_650;
/** A certificate that ends within this time is made again. */
const RENEWAL_MS = 30 * 86_400_000;

export interface ExitCertificate {
  /** PEM */
  readonly cert: string;
  /** PEM, PKCS #8: a secret. */
  readonly key: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly fingerprint: string;
}

/**
 * The certificate of the exit `pubkey`, for `names`, `<pubkey>.nostr` and `npub1….nostr`. It is kept in
 * `<home>/certs/exit-<16 hex digits>.pem` and `…-key.pem`, so that it stays the same over restarts.
 * Other names, or an end that is near, make a new key and certificate: entries pin the certificate as a
 * whole and take the newest event, so keeping the old key would save nobody anything.
 * @throws NwsError `bad_config` when the files can't be used.
 */
export async function openExitCertificate(
  home: string,
  pubkey: string,
  names: readonly string[],
): Promise<ExitCertificate> {
  const own = [encodeName({ pubkey, relays: [] }), `${encodeNpub(pubkey)}.nostr`];
  const wanted = [...new Set([...names, ...own].map((name) => name.toLowerCase()))].sort();
  const pair = openKeyFile({
    folder: join(home, 'certs'),
    name: `exit-${pubkey.slice(0, 16)}`,
    make: () => makeCertificate(wanted),
    keep: ({ certificate }) =>
      namesOf(certificate.subjectAltName) === wanted.join() &&
      new Date(certificate.validTo).getTime() - RENEWAL_MS > Date.now(),
  });
  return {
    cert: pair.certificate.toString(),
    key: privatePem(pair),
    fingerprint: fingerprintOf(pair.certificate),
  };
}

function makeCertificate(names: readonly string[]): CertifiedKey {
  const keys = newKeyPair();
  const fields = { ...validFor(EXIT_DAYS), names, publicKey: keys.publicKey };
  return { certificate: serverCertificate(fields, keys), privateKey: keys.privateKey };
}

/** `DNS:a, DNS:b` as `a,b`. */
function namesOf(subjectAltName: string | undefined): string {
  return (subjectAltName ?? '').replaceAll('DNS:', '').replaceAll(', ', ',');
}
