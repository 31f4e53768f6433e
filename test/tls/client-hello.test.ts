import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import tls from 'node:tls';
import { expect } from 'chai';
import fc from 'fast-check';
import { sniffClientHello } from '../../src/tls/client-hello.js';
import { inRecords, padded } from './hellos.js';

/** The first flight of Node's own TLS client. */
async function capture(options: tls.ConnectionOptions): Promise<Buffer> {
  const [near, far] = duplexPair();
  const client = tls.connect({ ...options, socket: near });
  client.on('error', () => undefined);
  const [bytes] = (await once(far, 'data')) as [Buffer];
  client.destroy();
  return bytes;
}

describe('sniffClientHello', () => {
  let hello: Buffer;
  let plain: Buffer;
  before(async () => {
    hello = await capture({ servername: 'Shop.x.nostr', ALPNProtocols: ['h2', 'http/1.1'] });
    plain = await capture({ servername: '', maxVersion: 'TLSv1.2' });
  });

  it('reads the name and the protocols of a real ClientHello', () => {
    const alpn = ['h2', 'http/1.1'];
    expect(sniffClientHello(hello)).to.deep.equal({
      kind: 'tls',
      serverName: 'shop.x.nostr',
      alpn,
    });
  });

  it('reads a ClientHello that asks for neither', () => {
    expect(sniffClientHello(plain)).to.deep.equal({ kind: 'tls', serverName: undefined, alpn: [] });
  });

  it('waits as long as a real ClientHello is not whole, and no longer', () => {
    for (const bytes of [hello, plain, inRecords(hello, 40)]) {
      for (let length = 0; length < bytes.length; length += 1) {
        expect(sniffClientHello(bytes.subarray(0, length)).kind, `${length}`).to.equal(
          'incomplete',
        );
      }
      expect(sniffClientHello(bytes).kind).to.equal('tls');
    }
  });

  it('reads a ClientHello over several records, whatever follows it', () => {
    const whole = sniffClientHello(hello);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.uint8Array(), (size, rest) => {
        const bytes = Buffer.concat([inRecords(hello, size), rest]);
        expect(sniffClientHello(bytes)).to.deep.equal(whole);
      }),
    );
  });

  it('knows other protocols by their first byte', () => {
    for (const text of ['GET / HTTP/1.1\r\n', 'SSH-2.0-OpenSSH', '\x05\x01\x00', '\x80\x2e\x01']) {
      const bytes = Buffer.from(text, 'latin1');
      expect(sniffClientHello(bytes.subarray(0, 1)).kind).to.equal('other');
      expect(sniffClientHello(bytes).kind).to.equal('other');
    }
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1 }).filter(([first]) => first !== 22),
        (bytes) => sniffClientHello(Buffer.from(bytes)).kind === 'other',
      ),
    );
  });

  it('takes what begins like TLS for nothing else, as soon as it sees that it is broken', () => {
    const starts = {
      'empty record': [22, 3, 1, 0, 0],
      'empty record between others': [...inRecords(hello, 40).subarray(0, 45), 22, 3, 1, 0, 0],
      'record too long': [22, 3, 1, 0x40, 1],
      ServerHello: [22, 3, 3, 0, 100, 2],
      'message too long': [22, 3, 1, 0x40, 0, 1, 1, 0, 1],
      'alert between the records': [...inRecords(hello, 40).subarray(0, 45), 21],
    };
    for (const [name, start] of Object.entries(starts)) {
      expect(sniffClientHello(Buffer.from(start)).kind, name).to.equal('broken');
      const before = Buffer.from(start.slice(0, -1));
      expect(sniffClientHello(before).kind, `before ${name}`).to.equal('incomplete');
    }
    expect(sniffClientHello(Buffer.from([22, 2])).kind).to.equal('other'); // SSL 2
  });

  it('takes a whole message whose lengths contradict each other for a broken ClientHello', () => {
    const body = Buffer.alloc(35);
    body[34] = 200;
    const bytes = Buffer.concat([Buffer.from([22, 3, 1, 0, 39, 1, 0, 0, 35]), body]);
    expect(sniffClientHello(bytes).kind).to.equal('broken');
  });

  it('reads one of up to 64 KB, in records of any size', () => {
    const big = padded(hello, 60_000);
    const whole = sniffClientHello(hello);
    for (const size of [1, 7, 1_000, 16_384]) {
      const bytes = inRecords(big, size);
      expect(sniffClientHello(bytes), `${size}`).to.deep.equal(whole);
      expect(sniffClientHello(bytes.subarray(0, -1)).kind).to.equal('incomplete');
    }
    expect(sniffClientHello(inRecords(padded(hello, 65_600), 16_384)).kind).to.equal('broken');
  });

  it('answers anything at all without throwing', () => {
    const mutated = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 10 }).map((changes) => {
      const bytes = Buffer.from(hello);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
    const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const headed = noise.map((bytes) =>
      Buffer.concat([Buffer.from([22, 3, 1, 0, bytes.length & 0xff, 1, 0, 0]), bytes]),
    );
    fc.assert(
      fc.property(fc.oneof(mutated, noise, headed), (bytes) => {
        expect(sniffClientHello(bytes).kind).to.be.oneOf(['tls', 'incomplete', 'broken', 'other']);
      }),
      { numRuns: 500 },
    );
  });
});
