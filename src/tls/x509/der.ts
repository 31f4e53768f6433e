// The few ASN.1 types that certificates are made of, over node-forge's DER writer. Pure.
// What a certificate says is in x509.ts.

import forge from 'node-forge';

const { asn1 } = forge;
const { Class, Type } = asn1;

export type Asn1 = forge.asn1.Asn1;

export const sequence = (...values: Asn1[]): Asn1 => constructed(Type.SEQUENCE, values);

export const set = (...values: Asn1[]): Asn1 => constructed(Type.SET, values);

export const objectId = (dotted: string): Asn1 =>
  primitive(Type.OID, asn1.oidToDer(dotted).getBytes());

export const boolean = (value: boolean): Asn1 => primitive(Type.BOOLEAN, value ? '\xff' : '\0');

/** Bytes in two's complement, big-endian, the shortest form. */
export const integer = (bytes: Buffer): Asn1 => primitive(Type.INTEGER, binary(bytes));

export const utf8 = (text: string): Asn1 => primitive(Type.UTF8, binary(Buffer.from(text)));

export const octets = (bytes: Buffer): Asn1 => primitive(Type.OCTETSTRING, binary(bytes));

/** @param unused bits at the end of the last byte that don't count: 0 to 7 */
export const bits = (bytes: Buffer, unused = 0): Asn1 =>
  primitive(Type.BITSTRING, String.fromCharCode(unused) + binary(bytes));

/** A date to the second, in the form that RFC 5280, section 4.1.2.5, wants for its year. */
export const time = (date: Date): Asn1 =>
  date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));

/** A member marked `[tag]`: bytes when primitive (IMPLICIT), members when constructed. */
export const tagged = (tag: number, value: Buffer | Asn1[]): Asn1 =>
  Buffer.isBuffer(value)
    ? asn1.create(Class.CONTEXT_SPECIFIC, tag, false, binary(value))
    : asn1.create(Class.CONTEXT_SPECIFIC, tag, true, value);

export const toDer = (value: Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'latin1');

/** @throws Error when the bytes aren't one DER value. */
export const fromDer = (bytes: Buffer): Asn1 => asn1.fromDer(binary(bytes));

/** Member `index` of a constructed value. @throws Error when there is none. */
export function member(value: Asn1, index: number): Asn1 {
  const found = Array.isArray(value.value) ? value.value[index] : undefined;
  if (found === undefined) throw new Error(`no ASN.1 member ${index}`);
  return found;
}

function primitive(type: forge.asn1.Type, value: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, type, false, value);
}

function constructed(type: forge.asn1.Type, values: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, type, true, values);
}

/** forge keeps bytes as strings, one character a byte. */
function binary(bytes: Buffer): string {
  return bytes.toString('latin1');
}
