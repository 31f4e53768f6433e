// Where the proxy listens, for whom, and where exits reach it.

import { expect } from 'chai';
import { ownProxyConfig, proxyConfig, relayConfig } from '../../src/config/config.js';
import { refused, sources } from './support.js';

describe('where the proxy listens', () => {
  const outer = [
    '0.0.0.0:8882',
    '[::]:8882',
    '192.0.2.1:80',
    'host.example:1',
    '127.evil.example:1',
  ];

  for (const listen of outer) {
    it(`is ${listen} only with --auth, and said to be unencrypted then`, () => {
      const error = refused(() => proxyConfig(sources({ flags: { listen } })));
      expect(error.code).to.equal('bad_config');
      expect(error.message).to.match(/^--listen may only be a loopback address, not /);
      expect(error.hint).to.match(/^add --auth user:password, or use 127\.0\.0\.1:\d+$/);
      const config = proxyConfig(sources({ flags: { listen }, env: { NWS_AUTH: 'a:b' } }));
      expect(`${config.listen.host}:${config.listen.port}`).to.equal(listen.replace(/[[\]]/g, ''));
      expect(config.warnings.join()).to.match(/unencrypted/);
    });
  }

  it('needs no user and password on loopback', () => {
    for (const listen of ['127.0.0.1:1', '[::1]:1', 'localhost:1', '127.1.2.3:1']) {
      expect(proxyConfig(sources({ flags: { listen } })).warnings).to.deep.equal([]);
    }
  });

  it('is loopback for the relay whatever else is set', () => {
    const flags = { listen: '0.0.0.0:7777' };
    const error = refused(() => relayConfig(sources({ flags, env: { NWS_AUTH: 'a:b' } })));
    expect(error.hint).to.equal('use 127.0.0.1:7777');
  });

  it('is a free port on loopback for a command that starts its own, and open to that alone', () => {
    const env = { NWS_LISTEN: '0.0.0.0:1', NWS_AUTH: 'a:b', PUBLIC_ADDRESS: 'a.example:1' };
    const config = ownProxyConfig(sources({ env }));
    expect(config.listen).to.deep.equal({ host: '127.0.0.1', port: 0 });
    expect(config).to.not.have.any.keys('auth', 'publicAddress', 'reverseListen');
    expect(config).to.include({ logLevel: 'warn' }).and.to.be.frozen;
  });
});

describe('where exits reach the proxy', () => {
  const read = (publicAddress: string, listen?: string) =>
    proxyConfig(sources({ flags: { 'public-address': publicAddress, 'reverse-listen': listen } }));

  const cases: readonly [address: string, host: string, everywhere: string][] = [
    ['entry.example:8883', 'entry.example', '::'],
    ['203.0.113.7:8883', '203.0.113.7', '0.0.0.0'],
    ['[2001:db8::7]:8883', '2001:db8::7', '::'],
    ['[::ffff:203.0.113.7]:8883', '::ffff:203.0.113.7', '::'],
  ];
  for (const [address, host, everywhere] of cases) {
    it(`is ${address}, and everywhere on that port here`, () => {
      const { publicAddress, reverseListen } = read(address);
      expect(publicAddress).to.deep.equal({ host, port: 8883 });
      expect(reverseListen).to.deep.equal({ host: everywhere, port: 8883 });
    });
  }

  it('may be another port here', () => {
    const at = (listen: string) => read('203.0.113.7:443', listen).reverseListen;
    expect(at('127.0.0.1:8883')).to.deep.equal({ host: '127.0.0.1', port: 8883 });
    expect(at('[::1]:8883')).to.deep.equal({ host: '::1', port: 8883 });
    expect(at(':8883')).to.deep.equal({ host: '0.0.0.0', port: 8883 });
    expect(at('8883')).to.deep.equal({ host: '0.0.0.0', port: 8883 });
  });

  for (const address of ['entry.example', '203.0.113.7', '[2001:db8::7]']) {
    it(`needs a port besides ${address}`, () => {
      const error = refused(() => read(address));
      expect(error.message).to.equal(`--public-address has no port: ${address}`);
      expect(error.hint).to.match(/203\.0\.113\.7:8883/);
    });
  }

  const malformed = [':8883', '8883', 'a b:1', 'a:0', 'a:65536', '2001:db8::7:8883', 'http://a:1'];
  for (const address of [
    ...malformed,
    '<public_ip>:<port>',
    '[::1:1',
    '[a.example]:1',
    'a:b@c:1',
  ]) {
    it(`is not ${address}`, () => {
      expect(refused(() => read(address)).message).to.match(/^--public-address .*: ./);
    });
  }

  it('is said by one setting and listened for by the other, and names which is wrong', () => {
    const env = { PUBLIC_ADDRESS: 'entry.example' };
    expect(refused(() => proxyConfig(sources({ env }))).message).to.match(/^PUBLIC_ADDRESS has no/);
    expect(refused(() => read('a.example:1', 'nowhere')).message).to.match(/^--reverse-listen /);
    const alone = { NWS_REVERSE_LISTEN: ':8883' };
    const error = refused(() => proxyConfig(sources({ env: alone })));
    expect(error.message).to.equal('NWS_REVERSE_LISTEN is of no use alone');
    expect(error.hint).to.match(/--public-address/);
  });

  it('wants TLS there unless it is said to be optional', () => {
    expect(proxyConfig(sources()).reverseTls).to.equal('required');
    const env = { NWS_REVERSE_TLS: 'optional' };
    expect(proxyConfig(sources({ env })).reverseTls).to.equal('optional');
    const flags = { 'reverse-tls': 'never' };
    expect(refused(() => proxyConfig(sources({ flags }))).message).to.match(/^--reverse-tls can't/);
  });
});
