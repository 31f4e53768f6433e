// The local CA of the proxy: made on first use, able to vouch for `.nostr` names alone, and the leaves
// it signs for the names that clients ask for. How to trust it is the command line's matter.

import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { BoundedMap } from '../../common/bounded.js';
import { NwsError } from '../../errors.js';
import { openKeyFile, privatePem } from '../files/key-file.js';
import {
  authorityCertificate,
  type CertifiedKey,
  fingerprintOf,
  isNostrAuthority,
  newKeyPair,
  serverCertificate,
  validFor,
} from '../x509/x509.js';

const AUTHORITY_DAYS = 3_650;
const LEAF_DAYS = 90;
/** A cached leaf is replaced when it ends within this time. */
const LEAF_RENEWAL_MS = 86_400_000;
/** Leaves in memory, each with a TLS context of some kilobytes. */
const MAX_LEAVES = 1_000;

/** Lower case, and nothing that could be read as two names. Labels may be longer than DNS allows. */
const NOSTR_NAME = /^(?:[a-z0-9_-]+\.)+nostr$/;

export interface LocalAuthority {
  /** File of the CA's certificate, for `--cacert` and the like. */
  readonly path: string;
  readonly pem: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly fingerprint: string;
  /**
   * TLS context with a certificate for this name. It sends the leaf alone: whoever trusts the CA has it.
   * @throws NwsError `bad_name` for a name outside `.nostr`, which every client would refuse.
   */
  leafFor(host: string): SecureContext;
}

/**
 * Opens the CA in `<home>/certs`, or makes it.
 * @throws NwsError `bad_config` when it can't be used.
 */
export async function openAuthority(home: string): Promise<LocalAuthority> {
  const folder = join(home, 'certs');
  const path = join(folder, 'ca.pem');
  const authority = openKeyFile({
    folder,
    name: 'ca',
    make: makeAuthority,
    keep: (pair) => checkAuthority(pair, folder),
  });
  return {
    path,
    pem: authority.certificate.toString(),
    fingerprint: fingerprintOf(authority.certificate),
    leafFor: leafMaker(authority),
  };
}

function makeAuthority(): CertifiedKey {
  const keys = newKeyPair();
  const certificate = authorityCertificate(keys, validFor(AUTHORITY_DAYS));
  return { certificate, privateKey: keys.privateKey };
}

/** A CA is never replaced in silence: its owner has to trust the new one. */
function checkAuthority({ certificate }: CertifiedKey, folder: string): true {
  const hint = `remove ca.pem and ca-key.pem in ${folder} to have a new CA made, and trust that one`;
  if (!isNostrAuthority(certificate)) {
    throw new NwsError('bad_config', 'the local CA is not limited to .nostr names', { hint });
  }
  if (new Date(certificate.validTo).getTime() - LEAF_RENEWAL_MS <= Date.now()) {
    throw new NwsError('bad_config', `the local CA ends on ${certificate.validTo}`, { hint });
  }
  return true;
}

function leafMaker(authority: CertifiedKey): (host: string) => SecureContext {
  // One key for all leaves: making keys is slow, and all of them would lie in the same memory.
  const keys = newKeyPair();
  const key = privatePem(keys);
  const authorityEnd = new Date(authority.certificate.validTo);
  const leaves = new BoundedMap<string, { context: SecureContext; renewAt: number }>(MAX_LEAVES);

  const make = (name: string) => {
    const { notBefore, notAfter } = validFor(LEAF_DAYS);
    const end = notAfter < authorityEnd ? notAfter : authorityEnd;
    const fields = { names: [name], publicKey: keys.publicKey, notBefore, notAfter: end };
    const cert = serverCertificate(fields, authority).toString();
    const context = createSecureContext({ key, cert, minVersion: 'TLSv1.2' });
    return { context, renewAt: end.getTime() - LEAF_RENEWAL_MS };
  };

  return (host) => {
    const name = nostrName(host);
    const cached = leaves.get(name);
    const leaf = cached !== undefined && cached.renewAt > Date.now() ? cached : make(name);
    leaves.set(name, leaf); // also one that was there: what was unused for longest is to go first
    return leaf.context;
  };
}

function nostrName(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (NOSTR_NAME.test(name)) return name;
  throw new NwsError('bad_name', 'the local CA vouches for names under .nostr only', {
    hint: 'use https with the form that ends in .nostr, e.g. npub1….nostr',
  });
}
