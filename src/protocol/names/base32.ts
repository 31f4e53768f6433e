// Base32 with the extended hex alphabet (RFC 4648, section 7), lower case and without padding.
// Pure text ↔ bytes; what the bytes mean is address.ts's business.

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';
const BITS = 5;

export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let pending = 0;
  let pendingBits = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    pendingBits += 8;
    while (pendingBits >= BITS) {
      pendingBits -= BITS;
      text += ALPHABET[(pending >> pendingBits) & 31];
    }
    pending &= (1 << pendingBits) - 1;
  }
  if (pendingBits > 0) text += ALPHABET[(pending << (BITS - pendingBits)) & 31];
  return text;
}

/**
 * The bytes of lower-case base32, or undefined where it is none. The unused bits of the last
 * character have to be 0, so that no two texts mean the same bytes.
 */
export function decodeBase32(text: string): Buffer | undefined {
  const bytes = Buffer.alloc(Math.floor((text.length * BITS) / 8));
  let at = 0;
  let pending = 0;
  let pendingBits = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    pending = (pending << BITS) | value;
    pendingBits += BITS;
    if (pendingBits < 8) continue;
    pendingBits -= 8;
    bytes[at++] = pending >> pendingBits;
    pending &= (1 << pendingBits) - 1;
  }
  // Five left-over bits would be a whole character that encodes nothing.
  return pendingBits < BITS && pending === 0 ? bytes : undefined;
}
