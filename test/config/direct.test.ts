import { expect } from 'chai';
import { exitConfig, proxyConfig } from '../../src/config/config.js';
import { expectError } from '../support/expect-error.js';

const EXIT = 'a'.repeat(64);
const base = { env: {}, cwd: '/', userHome: '/home/u', platform: 'linux' } as const;
const proxy = (flags: object, env = {}) =>
  proxyConfig({ ...base, env, flags: { ...flags } }).direct;
const exit = (flags: object, env = {}) =>
  exitConfig({
    ...base,
    env,
    flags: { target: 'http://127.0.0.1:1', relay: ['ws://127.0.0.1:7'], ...flags },
  }).direct;

describe('config/direct', () => {
  it('is off where nothing asks for it', () => {
    expect(proxy({})).to.equal(undefined);
    expect(exit({})).to.equal(undefined);
    expect(proxy({}, { NWS_STUN: 'stun.example:3478' })).to.equal(undefined);
  });

  it('is on for all exits, or for some', () => {
    expect(proxy({ direct: true })).to.deep.equal({ local: false, stun: [] });
    const some = proxy({ 'direct-exit': [EXIT] });
    expect([...some!.exits!]).to.deep.equal([EXIT]);
    expect(proxy({ direct: true, 'direct-exit': [EXIT] })).to.not.have.property('exits');
  });

  it('reads addresses, from variables as well', () => {
    const env = {
      ...{ NWS_DIRECT: 'true', NWS_DIRECT_ADDRESS: '203.0.113.7:7000', NWS_DIRECT_LISTEN: '7001' },
      ...{ NWS_DIRECT_LOCAL: 'true', NWS_STUN: 'stun.example:3478;[2001:db8::1]:1' },
    };
    expect(exit({}, env)).to.deep.equal({
      address: { host: '203.0.113.7', port: 7_000 },
      listen: { port: 7_001 },
      local: true,
      stun: [
        { host: 'stun.example', port: 3_478 },
        { host: '2001:db8::1', port: 1 },
      ],
    });
    expect(exit({ direct: true, 'direct-listen': '127.0.0.1:9' })).to.deep.include({
      listen: { host: '127.0.0.1', port: 9 },
    });
  });

  for (const [flags, message] of [
    [{ stun: ['stun.example:3478'] }, /--stun is of no use alone/],
    [{ 'direct-address': '203.0.113.7:1' }, /--direct-address is of no use alone/],
    [{ direct: true, stun: ['stun.example'] }, /--stun is not a STUN server: stun.example/],
    [{ direct: true, stun: Array(5).fill('a:1') }, /--stun names more than 4/],
    [{ direct: true, 'direct-address': '203.0.113.7' }, /--direct-address has no port/],
    [{ direct: true, 'direct-listen': 'x:y' }, /--direct-listen is not an address/],
    [{ 'direct-exit': ['nonsense'] }, /--direct-exit/],
  ] as const) {
    it(`refuses ${JSON.stringify(flags).slice(0, 60)}`, () => {
      expectError('bad_config', () => proxy(flags), message);
    });
  }
});
