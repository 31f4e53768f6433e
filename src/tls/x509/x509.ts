// Builds X.509 v3 certificates (RFC 5280): P-256 keys, ECDSA with SHA-256, for servers and for the local CA.
// node-forge writes the DER; keys and signatures are node:crypto's, since forge knows no elliptic curves.

import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import {
  type Asn1,
  bits,
  boolean,
  fromDer,
  integer,
  member,
  objectId,
  octets,
  sequence,
  set,
  tagged,
  time,
  toDer,
  utf8,
} from './der.js';

const OID = {
  commonName: '2.5.4.3',
  ecPublicKey: '1.2.840.10045.2.1',
  prime256v1: '1.2.840.10045.3.1.7',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** GeneralName choices (RFC 5280, section 4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** Bytes of an uncompressed P-256 point, which ends the SPKI of such a key. */
const POINT_BYTES = 65;
const DAY_MS = 86_400_000;

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate together with the private key of the key it certifies. */
export interface CertifiedKey {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

export interface ServerFields extends Validity {
  /** DNS names; lower-case ASCII. Labels and names may be longer than DNS allows. */
  readonly names: readonly string[];
  readonly publicKey: KeyObject;
}

/** A new P-256 key pair. */
export function newKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** From a day ago, for clocks that are behind, until `days` ahead. */
export function validFor(days: number, now = new Date()): Validity {
  const at = (offset: number) => new Date(now.getTime() + offset * DAY_MS);
  return { notBefore: at(-1), notAfter: at(days) };
}

/** SHA-256 of the certificate's DER, lower-case hex. */
export function fingerprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}

/** A self-signed CA that can vouch for TLS servers under `.nostr` and for nothing else. */
export function authorityCertificate(keys: KeyPair, validity: Validity): X509Certificate {
  const id = keyIdentifier(keys.publicKey);
  // Part of the key in the name tells the CAs of several machines apart in one trust store.
  const subject = nameOf(`nws local CA, .nostr only (${id.toString('hex', 0, 4)})`);
  const extensions = [
    extension(OID.basicConstraints, true, sequence(boolean(true), integer(Buffer.from([0])))),
    extension(OID.keyUsage, true, KEY_CERT_SIGN_AND_CRL_SIGN),
    // In a CA this limits what its leaves may be used for, e.g. no mail and no code.
    extension(OID.extKeyUsage, false, sequence(objectId(OID.serverAuth))),
    extension(OID.nameConstraints, true, nostrNamesOnly()),
    extension(OID.subjectKeyIdentifier, false, octets(id)),
  ];
  return build({ subject, issuer: subject, validity, publicKey: keys.publicKey, extensions }, keys);
}

/** True for a CA whose critical constraint is exactly ours. */
export function isNostrAuthority(certificate: X509Certificate): boolean {
  const constraint = toDer(extension(OID.nameConstraints, true, nostrNamesOnly()));
  return certificate.ca && certificate.raw.includes(constraint);
}

/** A TLS server's certificate: signed by `issuer`, or by its own key. */
export function serverCertificate(
  fields: ServerFields,
  issuer: CertifiedKey | Pick<KeyPair, 'privateKey'>,
): X509Certificate {
  // The names are in the SAN alone: a CN holds 64 characters, and .nostr names are longer.
  const subject = nameOf('nws');
  const names = fields.names.map((name) => tagged(DNS_NAME, Buffer.from(name, 'latin1')));
  const extensions = [
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.keyUsage, true, DIGITAL_SIGNATURE),
    extension(OID.extKeyUsage, false, sequence(objectId(OID.serverAuth))),
    extension(OID.subjectAltName, false, sequence(...names)),
    extension(OID.subjectKeyIdentifier, false, octets(keyIdentifier(fields.publicKey))),
  ];
  const base = { subject, validity: fields, publicKey: fields.publicKey };
  if (!('certificate' in issuer)) return build({ ...base, issuer: subject, extensions }, issuer);
  const authority = sequence(tagged(0, keyIdentifier(issuer.certificate.publicKey)));
  extensions.push(extension(OID.authorityKeyIdentifier, false, authority));
  return build({ ...base, issuer: subjectOf(issuer.certificate), extensions }, issuer);
}

interface Parts {
  readonly subject: Asn1;
  readonly issuer: Asn1;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly extensions: Asn1[];
}

function build(parts: Parts, signer: Pick<KeyPair, 'privateKey'>): X509Certificate {
  const algorithm = sequence(objectId(OID.ecdsaWithSha256));
  const toBeSigned = sequence(
    tagged(0, [integer(Buffer.from([2]))]),
    integer(serialNumber()),
    algorithm,
    parts.issuer,
    sequence(time(parts.validity.notBefore), time(parts.validity.notAfter)),
    parts.subject,
    sequence(
      sequence(objectId(OID.ecPublicKey), objectId(OID.prime256v1)),
      bits(pointOf(parts.publicKey)),
    ),
    tagged(3, [sequence(...parts.extensions)]),
  );
  const signature = sign('sha256', toDer(toBeSigned), signer.privateKey);
  return new X509Certificate(toDer(sequence(toBeSigned, algorithm, bits(signature))));
}

/** 127 bits of chance: positive, and in the shortest form because the first byte is 0x40 to 0x7f. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

function nameOf(commonName: string): Asn1 {
  return sequence(set(sequence(objectId(OID.commonName), utf8(commonName))));
}

/** The subject as it is encoded in the certificate: an issuer must match it byte for byte. */
function subjectOf(certificate: X509Certificate): Asn1 {
  const toBeSigned = member(fromDer(certificate.raw), 0);
  return member(toBeSigned, 5);
}

function extension(oid: string, critical: boolean, value: Asn1): Asn1 {
  const flag = critical ? [boolean(true)] : [];
  return sequence(objectId(oid), ...flag, octets(toDer(value)));
}

/** Bits are counted from the most significant one (RFC 5280, section 4.2.1.3). */
const DIGITAL_SIGNATURE = bits(Buffer.from([0x80]), 7);
const KEY_CERT_SIGN_AND_CRL_SIGN = bits(Buffer.from([0x06]), 1);

/**
 * RFC 5280, section 4.2.1.10: "nostr" permits itself and every name under it. Kinds of names that no
 * subtree mentions are unrestricted, so all IPv4 and IPv6 addresses are excluded by an empty mask.
 */
function nostrNamesOnly(): Asn1 {
  const permitted = sequence(tagged(DNS_NAME, Buffer.from('nostr')));
  const ipv4 = sequence(tagged(IP_ADDRESS, Buffer.alloc(8)));
  const ipv6 = sequence(tagged(IP_ADDRESS, Buffer.alloc(32)));
  return sequence(tagged(0, [permitted]), tagged(1, [ipv4, ipv6]));
}

/** RFC 7093, section 2, method 1: the first 160 bits of the SHA-256 of the public key. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha256').update(pointOf(publicKey)).digest().subarray(0, 20);
}

function pointOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-POINT_BYTES);
}
