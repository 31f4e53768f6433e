// Values for tests of the curve.

/** The number of points, n: the first scalar that is none. */
export const ORDER_HEX = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';

export function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

/** A scalar or coordinate of 32 bytes. */
export function number(value: bigint): Buffer {
  return hex(value.toString(16).padStart(64, '0'));
}

/** Copies with one bit of one byte changed, for each byte. */
export function flipped(bytes: Uint8Array): Buffer[] {
  return [...bytes.keys()].map((at) => {
    const copy = Buffer.from(bytes);
    copy[at]! ^= 1 << (at % 8);
    return copy;
  });
}
