// Addresses as bytes, against Node's own reading of them and the library's classes.

import { expect } from 'chai';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {
  type AddressBytes,
  covers,
  embeddedIn,
  formatAddress,
  isGloballyReachable,
  parseAddress,
  parseNetwork,
} from '../../../src/common/net/addresses.js';

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => [...bytes]);
/** Near the special networks, where random bytes hardly ever come. */
const ipv6 = fc
  .tuple(
    fc.constantFrom('2001', '2002', '20010000', '0064ff9b', '00000000', 'fe80', '2a00', 'fd', ''),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  .map(([head, tail]) => [...Buffer.from(head, 'hex'), ...tail].slice(0, 16));

function hex(bytes: readonly number[]): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/(.{4})(?=.)/g, '$1:');
}

function read(text: string): AddressBytes {
  return parseAddress(text) ?? expect.fail(`${text} is an address`);
}

describe('exit/addresses', () => {
  it('writes what it reads, and reads every spelling as the same', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (bytes) => {
        const text = formatAddress(bytes);
        const canonical = read(text);
        expect(formatAddress(canonical)).to.equal(text);
        if (bytes.length === 4) return;
        const [head, dotted] = [hex(bytes.slice(0, 12)), bytes.slice(12).join('.')];
        for (const spelling of [hex(bytes), hex(bytes).toUpperCase(), `${head}:${dotted}`]) {
          expect(read(spelling), spelling).to.deep.equal(canonical);
        }
      }),
    );
    expect(read('::1.2.3.4')).to.deep.equal([...new Array<number>(12).fill(0), 1, 2, 3, 4]);
    expect(read('::ffff:1.2.3.4')).to.deep.equal([1, 2, 3, 4]);
    expect(formatAddress(read('2001:0DB8:0:0:1:0:0:1'))).to.equal('2001:db8::1:0:0:1');
  });

  it('calls nothing reachable that the library puts into a special class, but NAT64', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (bytes) => {
        if (!isGloballyReachable(bytes)) return;
        const address = ipaddr.fromByteArray(bytes);
        expect(address.range(), address.toString()).to.be.oneOf(['unicast', 'rfc6052']);
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds the IPv4 address in every kind of disguise', () => {
    fc.assert(
      fc.property(ipv4, (bytes) => {
        const [tail, inverted] = [hex(bytes), hex(bytes.map((byte) => byte ^ 0xff))];
        expect(read(`::ffff:${tail}`)).to.deep.equal(bytes);
        for (const head of [
          '64:ff9b::',
          '64:ff9b:1::',
          '::ffff:0:',
          '2a00::5efe:',
          'fe80::200:5efe:',
        ]) {
          expect(embeddedIn(read(head + tail)), head).to.deep.equal([bytes]);
        }
        expect(embeddedIn(read(`2002:${tail}::1`))).to.deep.equal([bytes]);
        expect(embeddedIn(read(`2001:0:${tail}:0:0:${inverted}`))).to.deep.equal([bytes, bytes]);
        expect(embeddedIn(read(`::${tail}`))).to.deep.equal(bytes[0] === 0 ? [] : [bytes]);
      }),
    );
    for (const text of [
      '::',
      '::1',
      '2a00::1',
      '2001:db8::1.2.3.4',
      '64:ff9b:2::1.2.3.4',
      '8.8.8.8',
    ]) {
      expect(embeddedIn(read(text)), text).to.deep.equal([]);
    }
  });

  it('matches networks bit by bit, as the library does, and never across families', () => {
    fc.assert(
      fc.property(ipv4, ipv4, fc.nat(32), (base, bytes, bits) => {
        const near = [base[0]!, base[1]!, bytes[2]!, bytes[3]!];
        for (const address of [bytes, near, base]) {
          const expected = new ipaddr.IPv4(address).match(new ipaddr.IPv4(base), bits);
          expect(covers({ bytes: base, bits }, address)).to.equal(expected);
        }
      }),
    );
    expect(covers({ bytes: read('::'), bits: 0 }, read('1.2.3.4'))).to.equal(false);
    expect(covers({ bytes: read('0.0.0.0'), bits: 0 }, read('::1'))).to.equal(false);
  });

  it('reads networks without bits beyond the prefix', () => {
    expect(parseNetwork('10.0.0.0/8')).to.deep.equal({ bytes: [10, 0, 0, 0], bits: 8 });
    expect(parseNetwork('::ffff:10.0.0.0/104')).to.deep.equal({ bytes: [10, 0, 0, 0], bits: 8 });
    expect(parseNetwork('2001:db8::/33')?.bits).to.equal(33);
    const wrong = ['10.0.0.1/8', '10.0.0.0', '10.0.0.0/33', '::/129', '2001:db8::1/127', '/8', ''];
    for (const text of [...wrong, '::ffff:0:0/95', 'a.example/8', 'fe80::%lo/64']) {
      expect(parseNetwork(text), text).to.equal(undefined);
    }
  });
});
