// The parts of BIP-340 that aren't curve arithmetic: tagged hashes, scalars modulo n, and what a signature has to
// satisfy, over any arithmetic of points.

import { hash } from 'node:crypto';

/** First byte of a compressed point: whether its y is even, which is what an x-only key means, or odd. */
export const EVEN = 2;
export const ODD = 3;

/** The number of points, n. */
export const ORDER = Buffer.from(
  'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141',
  'hex',
);
const ZERO = Buffer.alloc(32);

/** Arithmetic with public values; may take a time that depends on them. Throws, or returns null, for what has no result. */
export interface PublicPoints {
  /** Whether these 33 bytes are a point. */
  isPoint(point: Uint8Array): boolean;
  /** scalar·G */
  generate(scalar: Uint8Array): Uint8Array | null;
  multiply(point: Uint8Array, scalar: Uint8Array): Uint8Array | null;
  /** The compressed sum. */
  add(left: Uint8Array, right: Uint8Array): Uint8Array | null;
  compress(point: Uint8Array): Uint8Array;
}

type TaggedHash = (...parts: readonly Uint8Array[]) => Buffer;

function taggedHash(tag: string): TaggedHash {
  const once = hash('sha256', tag, 'buffer');
  const prefix = Buffer.concat([once, once]);
  return (...parts) => hash('sha256', Buffer.concat([prefix, ...parts]), 'buffer');
}

export const auxiliaryHash = taggedHash('BIP0340/aux');
export const nonceHash = taggedHash('BIP0340/nonce');
const challengeHash = taggedHash('BIP0340/challenge');

/** The scalar e that binds a signature to its key and message. Public. */
export function challenge(r: Uint8Array, pubkey: Uint8Array, message: Uint8Array): Buffer {
  const e = challengeHash(r, pubkey, message);
  return isScalar(e) ? e : reduced(e);
}

/** Whether 32 bytes are a number below n. For public values. */
export function isScalar(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ORDER) < 0;
}

/** A number from n on, modulo n. No hash that anybody has seen is one: the odds are 2^-128. */
export function reduced(bytes: Uint8Array): Buffer {
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  const order = BigInt(`0x${ORDER.toString('hex')}`);
  return Buffer.from((value % order).toString(16).padStart(64, '0'), 'hex');
}

/** Whether R, compressed, is the point that a signature with this r must lead to. */
export function isNonce(point: Uint8Array, r: Uint8Array): boolean {
  return point[0] === EVEN && Buffer.compare(point.subarray(1), r) === 0;
}

/**
 * R = s·G − e·P, compressed, by its definition.
 * @param s below n
 * @throws Error, or returns null, where P is no point or R is the point at infinity.
 */
export function noncePoint(
  points: PublicPoints,
  { s, e, pubkey }: { s: Uint8Array; e: Uint8Array; pubkey: Uint8Array },
): Uint8Array | null {
  const negated = Buffer.concat([Buffer.of(ODD), pubkey]); // −P has the other y
  if (!points.isPoint(negated)) return null;
  const left = ZERO.equals(s) ? null : points.generate(s);
  const right = ZERO.equals(e) ? null : points.multiply(negated, e);
  if (left !== null && right !== null) return points.add(left, right);
  const alone = left ?? right;
  return alone === null ? null : points.compress(alone);
}
