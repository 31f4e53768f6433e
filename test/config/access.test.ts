// Who may use the proxy and the exit, for what and how much.

import { expect } from 'chai';
import { exitConfig, proxyConfig } from '../../src/config/config.js';
import type { Sources } from '../../src/config/env.js';
import { encodeName, encodeNprofile, encodeNpub } from '../../src/protocol/names/address.js';
import { refused, sources } from './support.js';

const KEY = '3ef54d9f7eaa3a6fafaea680b1d047248c93408776027317a9535a2056b2ef53';
const OTHER = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const RELAY = 'wss://relay.example';

const BASIS = { target: 'http://127.0.0.1:1', relay: [RELAY] };
const exit = (flags: Sources['flags'], env: Sources['env'] = {}) =>
  exitConfig(sources({ flags: { ...BASIS, ...flags }, env }));
const proxy = (flags: Sources['flags'], env: Sources['env'] = {}) =>
  proxyConfig(sources({ flags, env }));

describe('user and password of the proxy', () => {
  it('come from flag or variable, up to the first colon', () => {
    expect(proxy({}).auth).to.equal(undefined);
    expect(proxy({}, { NWS_AUTH: 'me:pass:word' }).auth).to.deep.equal({
      user: 'me',
      password: 'pass:word',
    });
    expect(proxy({ auth: 'a:b' }, { NWS_AUTH: 'c:d' }).auth).to.deep.equal({
      user: 'a',
      password: 'b',
    });
    const dotenv = 'NWS_AUTH=me:p#ss\n';
    expect(proxyConfig(sources({ dotenv })).auth?.password).to.equal('p#ss');
  });

  it('are better kept off the command line', () => {
    expect(proxy({ auth: 'a:secret' }).warnings.join())
      .to.match(/^--auth shows in ps/)
      .and.not.include('secret');
    expect(proxy({}, { NWS_AUTH: 'a:b' }).warnings).to.deep.equal([]);
  });

  const long = 'x'.repeat(256);
  for (const text of [
    'secret',
    ':secret',
    'user:',
    `secret:${long}`,
    `${long}:secret`,
    'se:cr\tet',
  ]) {
    it(`are not ${text.slice(0, 20)}, which is not repeated`, () => {
      const error = refused(() => proxy({}, { NWS_AUTH: text }));
      expect(error.message).to.equal('NWS_AUTH is not a user and a password');
      expect(error.hint).to.match(/user:password/);
      expect(error.line).to.not.include('secret');
    });
  }
});

describe('exits for the clear web', () => {
  it('are given by npub, nprofile, name or hex', () => {
    const address = { pubkey: KEY, relays: [RELAY] };
    const list = [KEY, KEY.toUpperCase(), encodeNpub(KEY)];
    const { exits } = proxy({
      clearnet: 'exit',
      exit: [...list, encodeNprofile(address), encodeName(address)],
    });
    const bare = { pubkey: KEY, relays: [] };
    expect(exits).to.deep.equal([bare, bare, bare, address, address]);
    expect(exits).to.be.frozen;
  });

  it('come from the variable as well, and may be left to be found', () => {
    const env = { NWS_CLEARNET: 'exit', NWS_EXITS: `${KEY};${encodeNpub(OTHER)}` };
    const config = proxy({}, env);
    expect(config.exits.map(({ pubkey }) => pubkey)).to.deep.equal([KEY, OTHER]);
    expect(config.warnings).to.deep.equal([]);
    expect(proxy({ clearnet: 'exit' })).to.deep.include({ clearnet: 'exit', exits: [] });
  });

  it('are of no use when the clear web goes elsewhere, which is said', () => {
    expect(proxy({ exit: [KEY] }).warnings.join()).to.match(/--exit is for --clearnet exit/);
  });
});

describe('rules of an exit', () => {
  const texts = (rules: readonly { text: string }[]) => rules.map(({ text }) => text);

  it('are read from flags, or from variables with separators between', () => {
    const config = exit(
      { allow: ['*.example:443', '10.0.0.0/8:80+8000-8099'] },
      { NWS_DENY: '10.9.0.0/16, [2001:db8::]/32' },
    );
    expect(texts(config.allow)).to.deep.equal(['*.example:443', '10.0.0.0/8:80+8000-8099']);
    expect(texts(config.deny)).to.deep.equal(['10.9.0.0/16', '[2001:db8::]/32']);
  });

  it('may stand in for a target', () => {
    const config = exitConfig(sources({ flags: { relay: [RELAY], allow: ['10.0.0.1:22'] } }));
    expect(config).to.include({ target: undefined, isPublic: false });
    const flags = { relay: [RELAY], deny: ['10.0.0.1:22'] };
    const error = refused(() => exitConfig(sources({ flags })));
    expect(error.message).to.equal('an exit needs --target');
    expect(error.hint).to.match(/tcp:\/\/.*--public/);
  });
});

describe('clients of an exit', () => {
  it('are everybody unless some are named, by npub or hex', () => {
    expect(exit({})).to.not.have.any.keys('allowClients');
    const list = [KEY, KEY.toUpperCase(), encodeNpub(OTHER)];
    const config = exit({ 'allow-client': list }, { NWS_DENY_CLIENTS: encodeNpub(KEY) });
    expect([...(config.allowClients ?? [])]).to.deep.equal([KEY, OTHER]);
    expect([...config.denyClients]).to.deep.equal([KEY]);
  });

  it('are not everybody when the list holds nothing but separators', () => {
    const error = refused(() => exit({}, { NWS_ALLOW_CLIENTS: ' ;, ' }));
    expect(error.message).to.equal('NWS_ALLOW_CLIENTS names nothing');
  });

  it('have bounds', () => {
    expect(exit({}).clientLimits).to.deep.equal({
      streams: 10_000,
      opensPerMinute: 12_000,
      bytesPerSecond: Number.POSITIVE_INFINITY,
    });
    const env = { NWS_CLIENT_OPENS: '10', NWS_CLIENT_RATE: '1000000' };
    expect(exit({ 'client-streams': '3' }, env).clientLimits).to.deep.equal({
      streams: 3,
      opensPerMinute: 10,
      bytesPerSecond: 1_000_000,
    });
  });
});

describe('a wrong setting of an exit', () => {
  const nsec = `nsec1${'q'.repeat(58)}`;
  const cases: readonly [what: string, read: () => unknown, names: RegExp][] = [
    ['a rule without a host', () => exit({ allow: [':443'] }), /^--allow: .*":443"/],
    ['a port out of range', () => exit({}, { NWS_DENY: 'a.example:70000' }), /^NWS_DENY: .*70000/],
    ['a client that is no key', () => exit({ 'allow-client': ['me'] }), /^--allow-client: /],
    ['a secret client', () => exit({ 'deny-client': [nsec] }), /^--deny-client: not a public key$/],
    ['no streams', () => exit({ 'client-streams': '0' }), /^--client-streams can't be 0/],
    ['half an open', () => exit({}, { NWS_CLIENT_OPENS: '0.5' }), /^NWS_CLIENT_OPENS can't be 0.5/],
    ['a rate of nothing', () => exit({ 'client-rate': '10' }), /^--client-rate can't be 10/],
    ['no pause', () => exit({ 'announce-interval': '0' }), /^--announce-interval can't be 0/],
    ['a day', () => exit({}, { NWS_ANNOUNCE_INTERVAL: '86400' }), /^NWS_ANNOUNCE_INTERVAL can't/],
    ['neither yes nor no', () => exit({}, { PUBLIC: 'perhaps' }), /^PUBLIC is neither/],
    ['an exit of the clear web', () => proxy({ exit: ['a.example'] }), /^--exit: .*a\.example/],
    ['a key off the curve', () => proxy({ exit: ['f'.repeat(64)] }), /^--exit: not a public key/],
    ['a secret exit', () => proxy({}, { NWS_EXITS: nsec }), /^NWS_EXITS: [^q]*$/],
  ];

  for (const [what, read, names] of cases) {
    it(`names the setting and a way out: ${what}`, () => {
      const error = refused(read);
      expect(error.code).to.equal('bad_config');
      expect(error.message).to.match(names);
      expect(error.hint).to.be.a('string').that.is.not.empty;
    });
  }
});
