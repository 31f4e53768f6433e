// Strict base64 (RFC 4648, section 4, with padding): Node's own reader also takes what isn't base64.

/** The last group holds the padding, and bits that must be zero. */
const GROUP_CHARS = 4;

/**
 * The bytes, or undefined where the text isn't the one canonical base64 of any bytes. Node passes over what is no base64, so
 * that fewer bytes come out, takes `-` and `_` for `+` and `/`, and of characters beyond 255 the lower half: all of that shows
 * without a look of ours at each character of 50 KB.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % GROUP_CHARS !== 0 || bytes.length !== (text.length / 4) * 3 - padding) {
    return undefined;
  }
  const isAscii = Buffer.byteLength(text) === text.length;
  if (!isAscii || text.includes('-') || text.includes('_')) return undefined;
  const lastBytes = bytes.subarray(Math.max(0, bytes.length - (3 - padding)));
  return lastBytes.toString('base64') === text.slice(-GROUP_CHARS) ? bytes : undefined;
}
