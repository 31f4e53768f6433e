// Tells from the first bytes of a connection whether a TLS client speaks, and what it asks for.
// Pure: nothing is decrypted, kept or answered here.

export type Sniff =
  /** A whole ClientHello, with the host name and the protocols it asks for. */
  | { kind: 'tls'; serverName: string | undefined; alpn: string[] }
  /** So far it could become one. */
  | { kind: 'incomplete' }
  /** It begins like TLS (RFC 8446, section 5.1: a handshake record), and is no ClientHello that can be read. */
  | { kind: 'broken' }
  | { kind: 'other' };

/** Longest ClientHello, in bytes without record headers. Most have 200 to 2,000; tickets and key shares make more. */
export const MAX_HELLO_BYTES = 65_536;
/** RFC 8446, section 5.1: bytes of one record. */
const MAX_RECORD_BYTES = 16_384;
const RECORD_HEADER_BYTES = 5;
const HANDSHAKE_HEADER_BYTES = 4;
const HANDSHAKE_RECORD = 22;
const TLS_MAJOR = 3;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;

/**
 * Reads a ClientHello (RFC 8446, section 4.1.2) from the start of a connection; it may be spread over several
 * records. `other` is said by the first two bytes alone: what begins like TLS is never taken for anything else.
 * Never throws.
 */
export function sniffClientHello(bytes: Buffer): Sniff {
  const [type = HANDSHAKE_RECORD, major = TLS_MAJOR] = bytes;
  if (type !== HANDSHAKE_RECORD || major !== TLS_MAJOR) return { kind: 'other' };
  const fragments: Buffer[] = [];
  let received = 0;
  let wanted = HANDSHAKE_HEADER_BYTES;
  for (let at = 0; received < wanted; ) {
    const record = readRecord(bytes, at);
    if (record === undefined) return { kind: 'broken' };
    fragments.push(record.fragment);
    received += record.fragment.length;
    at += RECORD_HEADER_BYTES + record.fragment.length;
    if (wanted === HANDSHAKE_HEADER_BYTES) {
      const size = messageBytes(Buffer.concat(fragments));
      if (size === undefined) return { kind: 'broken' };
      wanted = size;
    }
    if (received < wanted && !record.whole) return { kind: 'incomplete' };
  }
  try {
    return readHello(Buffer.concat(fragments).subarray(HANDSHAKE_HEADER_BYTES, wanted));
  } catch {
    // A length that points outside the message: no TLS stack would take it either.
    return { kind: 'broken' };
  }
}

/** The record at `at`, as far as it is there; undefined when these bytes start no handshake record. */
function readRecord(bytes: Buffer, at: number): { fragment: Buffer; whole: boolean } | undefined {
  const header = bytes.subarray(at, at + RECORD_HEADER_BYTES);
  const [type = HANDSHAKE_RECORD, major = TLS_MAJOR] = header;
  if (type !== HANDSHAKE_RECORD || major !== TLS_MAJOR) return undefined;
  if (header.length < RECORD_HEADER_BYTES) return { fragment: Buffer.alloc(0), whole: false };
  const length = header.readUInt16BE(3);
  // Handshake records are never empty (RFC 8446, section 5.1).
  if (length === 0 || length > MAX_RECORD_BYTES) return undefined;
  const start = at + RECORD_HEADER_BYTES;
  const fragment = bytes.subarray(start, start + length);
  return { fragment, whole: fragment.length === length };
}

/** Bytes of the message that starts so, as far as its header tells; undefined when it is no ClientHello. */
function messageBytes(start: Buffer): number | undefined {
  const [type = CLIENT_HELLO] = start;
  if (type !== CLIENT_HELLO) return undefined;
  if (start.length < HANDSHAKE_HEADER_BYTES) return HANDSHAKE_HEADER_BYTES;
  const length = start.readUIntBE(1, 3);
  return length > MAX_HELLO_BYTES ? undefined : HANDSHAKE_HEADER_BYTES + length;
}

/** @throws RangeError where a length points outside the message. */
function readHello(body: Buffer): Sniff {
  const hello = new Cursor(body);
  hello.take(2 + 32); // version, random
  hello.vector(1); // session id
  hello.vector(2); // cipher suites
  hello.vector(1); // compression methods
  let serverName: string | undefined;
  let alpn: string[] = [];
  const extensions = new Cursor(hello.isAtEnd ? Buffer.alloc(0) : hello.vector(2));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = new Cursor(extensions.vector(2));
    if (type === SERVER_NAME) serverName = readServerName(new Cursor(content.vector(2)));
    if (type === ALPN) alpn = readProtocols(new Cursor(content.vector(2)));
  }
  return { kind: 'tls', serverName, alpn };
}

/** RFC 6066, section 3: the first name of type host_name, the only type there is. */
function readServerName(list: Cursor): string | undefined {
  while (!list.isAtEnd) {
    const type = list.number(1);
    const name = list.vector(2);
    if (type === 0) return name.toString('latin1').toLowerCase();
  }
  return undefined;
}

/** RFC 7301, section 3.1. */
function readProtocols(list: Cursor): string[] {
  const protocols: string[] = [];
  while (!list.isAtEnd) protocols.push(list.vector(1).toString('latin1'));
  return protocols;
}

/** Reads a buffer front to back; a read past its end is a RangeError. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('read past the end');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** A big-endian number of `size` bytes. */
  number(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  /** Bytes behind their own length, which takes `size` bytes. */
  vector(size: number): Buffer {
    return this.take(this.number(size));
  }
}
