import { expect } from 'chai';
import {
  decodeStun,
  encodeStunRequest,
  encodeStunSuccess,
} from '../../../src/protocol/direct/stun.js';

/** From RFC 5769, section 2.2 and 2.3, up to and with XOR-MAPPED-ADDRESS. */
const RFC_TRANSACTION = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex');
const RFC_IPV4 = `0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643`;
const RFC_IPV6 = `010100182112a442b7e7a701bc34d686fa87dfae002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9`;
const VECTORS = [
  [RFC_IPV4, { address: '192.0.2.1', port: 32_853 }],
  [RFC_IPV6, { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 }],
] as const;

describe('protocol/stun', () => {
  for (const [hex, mapped] of VECTORS) {
    it(`reads and writes the answer of RFC 5769 with ${mapped.address}`, () => {
      const bytes = Buffer.from(hex, 'hex');
      const transaction = RFC_TRANSACTION;
      expect(decodeStun(bytes)).to.deep.equal({ kind: 'success', transaction, mapped });
      expect(encodeStunSuccess(transaction, mapped).toString('hex')).to.equal(hex);
    });
  }

  it('reads its own question', () => {
    const request = encodeStunRequest(RFC_TRANSACTION);
    expect(request).to.have.length(20);
    expect(decodeStun(request)).to.deep.equal({ kind: 'request', transaction: RFC_TRANSACTION });
  });

  it('reads MAPPED-ADDRESS of old servers, and skips what it does not know', () => {
    const attributes = '80220004616263000001000800018055c0000201';
    const head = `0101${(attributes.length / 2).toString(16).padStart(4, '0')}2112a442`;
    const bytes = Buffer.from(head + RFC_TRANSACTION.toString('hex') + attributes, 'hex');
    expect(decodeStun(bytes)).to.deep.include({ mapped: { address: '192.0.2.1', port: 32_853 } });
  });

  it('takes nothing that is cut, too long or of another kind', () => {
    const whole = Buffer.from(RFC_IPV4, 'hex');
    for (let length = 0; length < whole.length; length += 1) {
      expect(decodeStun(whole.subarray(0, length))).to.equal(undefined);
    }
    expect(decodeStun(Buffer.concat([whole, Buffer.alloc(4)]))).to.equal(undefined);
    const indication = Buffer.from(whole);
    indication.writeUInt16BE(0x0011, 0);
    expect(decodeStun(indication)).to.equal(undefined);
    const noCookie = Buffer.from(whole);
    noCookie[4] = 0;
    expect(decodeStun(noCookie)).to.equal(undefined);
  });

  it('takes no port 0 and no attribute that leads out of the message', () => {
    const zero = encodeStunSuccess(RFC_TRANSACTION, { address: '192.0.2.1', port: 0 });
    expect(decodeStun(zero)).to.equal(undefined);
    const long = Buffer.from(RFC_IPV4, 'hex');
    long.writeUInt16BE(0xffff, 22);
    expect(decodeStun(long)).to.equal(undefined);
  });
});
