// ClientHellos as few clients send them: in many records, and large.

/** The handshake message of `hello` (one record, or a header of five bytes and a message) in records of `size` bytes. */
export function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 0xff]), fragment);
  }
  return Buffer.concat(records);
}

/**
 * The same ClientHello with `bytes` more, in extensions that nobody knows (RFC 8701). Its record header is kept and
 * means nothing any more: inRecords() makes new ones.
 */
export function padded(hello: Buffer, bytes: number): Buffer {
  const larger = Buffer.concat([hello, ...extensions(bytes)]);
  larger.writeUIntBE(larger.length - 9, 6, 3);
  const at = extensionsAt(hello);
  larger.writeUInt16BE(Math.min(larger.length - at - 2, 0xffff), at);
  return larger;
}

function extensions(bytes: number): Buffer[] {
  const extension = Buffer.alloc(bytes);
  extension.writeUInt16BE(0x8a8a);
  extension.writeUInt16BE(Math.min(bytes - 4, 0xffff), 2);
  return [extension];
}

/** Where the extensions' own length stands. */
function extensionsAt(hello: Buffer): number {
  let at = 9 + 2 + 32;
  at += 1 + hello.readUInt8(at); // session id
  at += 2 + hello.readUInt16BE(at); // cipher suites
  return at + 1 + hello.readUInt8(at); // compression methods
}
