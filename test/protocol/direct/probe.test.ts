import { randomBytes, timingSafeEqual } from 'node:crypto';
import { expect } from 'chai';
import { PROBE_BYTES, type Probe, pathOfProbe } from '../../../src/protocol/direct/probe.js';
import { PathKeys } from '../../../src/tunnel/direct/path/keys.js';

const PROBE: Probe = { kind: 'use', side: 'entry', number: 2 ** 40 + 7, stream: 0xdead_beef };

describe('protocol/probe', () => {
  const keys = new PathKeys(randomBytes(32));

  it('comes back as it was written, and names its path', () => {
    const bytes = keys.encode(PROBE);
    expect(bytes).to.have.length(PROBE_BYTES);
    expect(pathOfProbe(bytes)).to.equal(keys.id);
    expect(keys.decode(bytes)).to.deep.equal(PROBE);
  });

  it('is refused when any bit of it was changed', () => {
    const bytes = keys.encode(PROBE);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      const isOurs = pathOfProbe(forged) === keys.id;
      expect(isOurs ? keys.decode(forged) : undefined).to.equal(undefined);
    }
  });

  it('of another secret is refused', () => {
    const other = new PathKeys(randomBytes(32));
    expect(other.id).to.not.equal(keys.id);
    expect(keys.decode(other.encode(PROBE))).to.equal(undefined);
  });

  it('is told from STUN, from UDX and from anything of another length', () => {
    const bytes = keys.encode(PROBE);
    expect(bytes[0]! >> 6).to.not.equal(0);
    expect(bytes[0]).to.not.equal(0xff);
    expect(pathOfProbe(bytes.subarray(1))).to.equal(undefined);
    expect(pathOfProbe(Buffer.concat([bytes, Buffer.alloc(1)]))).to.equal(undefined);
    expect(pathOfProbe(randomBytes(PROBE_BYTES))).to.equal(undefined);
  });

  it('has a key of its own for each stream', () => {
    const [one, other] = [keys.ofStream('a'), keys.ofStream('b')];
    expect(one).to.have.length(32);
    expect(timingSafeEqual(one, other)).to.equal(false);
  });
});
