// What was seen of a reverse connection, told apart: whether what follows the key and its answer is TLS, and that alone.

/** From change_cipher_spec to application_data (RFC 8446, section 5.1). */
const TYPES = { first: 20, last: 23 };
const HANDSHAKE = 22;
const MAJOR_VERSION = 3;
const HEADER_BYTES = 5;
const KEY_BYTES = 36;

export interface Seen {
  readonly fromExit: Buffer;
  readonly fromEntry: Buffer;
}

/** Without the key, and without the byte that answers it. */
export function innerOf({ fromExit, fromEntry }: Seen): Seen {
  return { fromExit: fromExit.subarray(KEY_BYTES), fromEntry: fromEntry.subarray(1) };
}

/** Whether these are whole records of TLS from the first to the last byte, a handshake first. */
export function isTls(bytes: Buffer): boolean {
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const type = bytes.readUInt8(at);
    const isRecord = type >= TYPES.first && type <= TYPES.last && bytes[at + 1] === MAJOR_VERSION;
    if (!isRecord || (at === 0 && type !== HANDSHAKE)) return false;
    at += HEADER_BYTES + bytes.readUInt16BE(at + 3);
  }
  return at > 0 && at === bytes.length;
}
