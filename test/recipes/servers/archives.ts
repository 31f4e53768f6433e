// Archives as package registries hand them out, made from a few texts: .zip (wheels, Go modules) and .tar.gz (npm, cargo).

import { crc32, gzipSync } from 'node:zlib';

export type Files = Readonly<Record<string, string>>;

/** Everything stored as it is. */
export function zip(files: Files): Buffer {
  const entries = Object.entries(files).map(([name, text]) => {
    return { name: Buffer.from(name), bytes: Buffer.from(text) };
  });
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of entries) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt16LE(0x21, 8); // 1980-01-01
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, bytes]);
    const end = Buffer.alloc(14);
    end.writeUInt32LE((0o100644 << 16) >>> 0, 6); // mode
    end.writeUInt32LE(offset, 10);
    const made = Buffer.from([20, 3]); // by a Unix
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), made, common, end, name]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const last = Buffer.alloc(18);
  last.writeUInt16LE(entries.length, 4);
  last.writeUInt16LE(entries.length, 6);
  last.writeUInt32LE(central.length, 8);
  last.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, central, Buffer.from('PK\x05\x06'), last]);
}

export function tarGz(files: Files): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const bytes = Buffer.from(text);
    const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
    return [tarHead(name, bytes.length), bytes, padding];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1_024)]));
}

function tarHead(name: string, size: number): Buffer {
  const head = Buffer.alloc(512);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  head.write(name, 0);
  head.write(octal(0o644, 7), 100);
  head.write(octal(0, 7), 108);
  head.write(octal(0, 7), 116);
  head.write(octal(size, 11), 124);
  head.write(octal(0, 11), 136);
  head.write('        ', 148);
  head.write('0', 156);
  head.write('ustar\x0000', 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${octal(sum, 6)}\0 `, 148);
  return head;
}
