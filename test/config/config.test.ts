// Settings: which source wins, how each is read, and what a wrong one is answered with.

import { expect } from 'chai';
import {
  type BaseConfig,
  baseConfig,
  exitConfig,
  type ProxyConfig,
  proxyConfig,
  relayConfig,
} from '../../src/config/config.js';
import type { Sources } from '../../src/config/env.js';
import { createSigner } from '../../src/crypto/signer.js';
import { refused, sources } from './support.js';

const KEY = '11'.repeat(32);
const OTHER_KEY = '22'.repeat(32);
const PUBKEY = createSigner(Buffer.from(KEY, 'hex')).pubkey;
const NAME = 'npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6';

describe('settings', () => {
  const text = (config: ProxyConfig) => `${config.listen.host}:${config.listen.port}`;
  const table: readonly {
    flag: string;
    variable: string;
    values: readonly [flag: string, env: string, dotenv: string];
    unset: string;
    read: (config: ProxyConfig) => string | undefined;
  }[] = [
    {
      flag: 'listen',
      variable: 'NWS_LISTEN',
      values: ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'],
      unset: '127.0.0.1:8882',
      read: text,
    },
    {
      flag: 'relay',
      variable: 'NOSTR_RELAYS',
      values: ['ws://a.example', 'ws://b.example', 'ws://c.example'],
      unset: '',
      read: ({ relays }: BaseConfig) => relays.join(),
    },
    {
      flag: 'home',
      variable: 'NWS_HOME',
      values: ['/a', '/b', '/c'],
      unset: '/home/u/.local/share/nws',
      read: ({ home }) => home,
    },
    {
      flag: 'tls',
      variable: 'NWS_TLS',
      values: ['passthrough', 'passthrough', 'passthrough'],
      unset: 'terminate',
      read: ({ tls }) => tls,
    },
    {
      flag: 'clearnet',
      variable: 'NWS_CLEARNET',
      values: ['deny', 'deny', 'deny'],
      unset: 'direct',
      read: ({ clearnet }) => clearnet,
    },
    {
      flag: 'require-pin',
      variable: 'NWS_REQUIRE_PIN',
      values: ['true', 'true', 'true'],
      unset: 'false',
      read: ({ requirePin }) => String(requirePin),
    },
    {
      flag: 'preconnect',
      variable: 'NWS_PRECONNECT',
      values: ['false', 'false', 'false'],
      unset: 'true',
      read: ({ preconnect }) => String(preconnect),
    },
    {
      flag: 'log-level',
      variable: 'NWS_LOG_LEVEL',
      values: ['debug', 'warn', 'silent'],
      unset: 'info',
      read: ({ logLevel }) => logLevel,
    },
    {
      flag: 'alias',
      variable: 'NWS_ALIASES',
      values: [`a.nostr=${NAME}`, `b.nostr=${NAME}`, `c.nostr=${NAME}`],
      unset: '',
      read: ({ aliases }) => [...aliases].map((pair) => pair.join('=')).join(),
    },
  ];

  for (const { flag, variable, values, unset, read } of table) {
    it(`--${flag} goes before ${variable}, that before .env, that before the default`, () => {
      const [flagged, exported, written] = values;
      const flags = { [flag]: flagged };
      const env = { [variable]: exported };
      const dotenv = `${variable}="${written}"\n`;
      expect(read(proxyConfig(sources({ flags, env, dotenv })))).to.equal(flagged);
      expect(read(proxyConfig(sources({ env, dotenv })))).to.equal(exported);
      expect(read(proxyConfig(sources({ dotenv })))).to.equal(written);
      expect(read(proxyConfig(sources()))).to.equal(unset);
    });

    it(`counts an exported but empty ${variable} as unset`, () => {
      const env = { [variable]: '' };
      expect(read(proxyConfig(sources({ env })))).to.equal(unset);
      const dotenv = `${variable}=${values[2]}\n`;
      expect(read(proxyConfig(sources({ env, dotenv })))).to.equal(values[2]);
    });
  }

  it('reads a key from flag or variable, and --key-file before the variable', () => {
    const env = { NOSTR_PRIVATE_KEY: OTHER_KEY };
    expect(proxyConfig(sources({ flags: { key: KEY }, env })).signer?.pubkey).to.equal(PUBKEY);
    expect(proxyConfig(sources({ env })).signer?.pubkey)
      .to.be.a('string')
      .not.equal(PUBKEY);
    const filed = proxyConfig(sources({ flags: { 'key-file': 'my.key' }, env }));
    expect(filed).to.include({ signer: undefined, keyFile: '/folder/my.key' });
    const named = proxyConfig(sources({ env: { NWS_KEY_FILE: '~/my.key' } }));
    expect(named.keyFile).to.equal('/home/u/my.key');
  });

  it('never shows a key, whatever is printed of a configuration', () => {
    const config = proxyConfig(sources({ flags: { key: KEY } }));
    expect(JSON.stringify(config)).to.not.include(KEY);
    expect(config.warnings.join())
      .to.match(/--key-file/)
      .and.not.include(KEY);
  });

  it('keeps the data where each platform wants it', () => {
    const home = (parts: Partial<Sources>) => baseConfig(sources(parts)).home;
    expect(home({ env: { XDG_DATA_HOME: '/data' } })).to.equal('/data/nws');
    expect(home({ env: { XDG_DATA_HOME: 'relative' } })).to.equal('/home/u/.local/share/nws');
    expect(home({ platform: 'darwin' })).to.equal('/home/u/Library/Application Support/nws');
    const windows = { platform: 'win32', userHome: 'C:\\Users\\u', cwd: 'C:\\' } as const;
    expect(home(windows)).to.equal('C:\\Users\\u\\AppData\\Local\\nws');
    expect(home({ ...windows, env: { LOCALAPPDATA: 'D:\\l' } })).to.equal('D:\\l\\nws');
    expect(home({ env: { NWS_HOME: '.' } })).to.equal('/folder');
  });

  it('reads addresses to listen on', () => {
    const listen = (text: string) => proxyConfig(sources({ flags: { listen: text } })).listen;
    expect(listen('127.0.0.1:0')).to.deep.equal({ host: '127.0.0.1', port: 0 });
    expect(listen('127.9.9.9:80')).to.deep.equal({ host: '127.9.9.9', port: 80 });
    expect(listen('[::1]:81')).to.deep.equal({ host: '::1', port: 81 });
    expect(listen('localhost:82')).to.deep.equal({ host: 'localhost', port: 82 });
    expect(listen(':83')).to.deep.equal({ host: '127.0.0.1', port: 83 });
    expect(listen('84')).to.deep.equal({ host: '127.0.0.1', port: 84 });
  });

  it('composes the behaviour of the embedded relay', () => {
    const flags = { behave: 'strfry', delay: '5', loss: '0.5', seed: '7' };
    const { listen, behaviour, seed } = relayConfig(
      sources({ flags, env: { NWS_LISTEN: '127.0.0.1:8882' } }),
    );
    expect(listen.port).to.equal(7777);
    expect(behaviour).to.include({ reorder: true, deliveryDelayMs: 5, loss: 0.5 });
    expect(seed).to.equal(7);
    const rates = { 'byte-rate': '4000000', 'event-rate': '0.5', 'over-rate': 'refused' };
    expect(relayConfig(sources({ flags: rates })).behaviour).to.deep.equal({
      bytesPerSecond: 4_000_000,
      eventsPerSecond: 0.5,
      overRate: 'refused',
    });
  });

  it('is frozen', () => {
    expect(proxyConfig(sources())).to.be.frozen;
    expect(relayConfig(sources())).to.be.frozen;
  });
});

describe('a wrong setting', () => {
  const relay = { relay: ['ws://a.example'] };
  const cases: readonly [what: string, read: () => unknown, names: RegExp][] = [
    ['a port out of range', () => proxy({ listen: '127.0.0.1:70000' }), /--listen.*70000/],
    ['no port', () => proxy({ listen: '127.0.0.1' }), /--listen/],
    ['a relay by http', () => proxy({ relay: ['http://a.example'] }), /--relay.*http/],
    ['a relay that is no URL', () => proxy({}, { NOSTR_RELAYS: 'foo' }), /^NOSTR_RELAYS/],
    ['an unknown mode', () => proxy({ tls: 'off' }), /--tls can't be off/],
    ['an unknown way', () => proxy({}, { NWS_CLEARNET: 'tor' }), /NWS_CLEARNET can't be tor/],
    ['an unknown level', () => proxy({ 'log-level': 'loud' }), /--log-level can't be loud/],
    [
      'a switch that is no switch',
      () => proxy({}, { NWS_REQUIRE_PIN: 'maybe' }),
      /NWS_REQUIRE_PIN/,
    ],
    [
      'a flag given twice',
      () => proxy({ tls: ['terminate', 'terminate'] }),
      /--tls.*more than once/,
    ],
    ['an empty flag', () => proxy({ relay: [''] }), /--relay is empty/],
    ['an alias without a host', () => proxy({ alias: ['shop.nostr'] }), /--alias/],
    ['an alias of the clear web', () => proxy({ alias: [`shop.example=${NAME}`] }), /--alias/],
    ['an alias for no key', () => proxy({ alias: ['shop.nostr=foo.nostr'] }), /--alias.*foo/],
    ['two keys', () => proxy({ key: KEY, 'key-file': 'x' }), /--key and --key-file/],
    ['no target', () => exit(relay), /--target/],
    ['a target without a scheme', () => exit({ ...relay, target: 'localhost:1' }), /^--target/],
    ['a backend without a port', () => exit(relay, { BACKEND_HOST: 'host' }), /^BACKEND_HOST/],
    ['a share over 1', () => relayConfig(sources({ flags: { loss: '2' } })), /--loss can't be 2/],
    ['half a millisecond', () => relayConfig(sources({ flags: { delay: '0.5' } })), /--delay/],
  ];

  for (const [what, read, names] of cases) {
    it(`names the setting and a way out: ${what}`, () => {
      const error = refused(read);
      expect(error.code).to.equal('bad_config');
      expect(error.message).to.match(names);
      expect(error.hint).to.be.a('string').that.is.not.empty;
    });
  }

  it('asks for a relay where an exit has none', () => {
    const error = refused(() => exit({ target: 'http://127.0.0.1:1' }));
    expect(error.code).to.equal('no_relay');
    expect(error.hint).to.match(/--relay.*NOSTR_RELAYS/);
  });

  it('never repeats a malformed key', () => {
    const almost = `${KEY.slice(0, -1)}x`;
    for (const read of [
      () => proxy({ key: almost }),
      () => proxy({}, { NOSTR_PRIVATE_KEY: almost }),
    ]) {
      expect(refused(read).line)
        .to.match(/not a secret key/)
        .and.not.include(almost);
    }
  });

  function proxy(flags: Sources['flags'], env: Sources['env'] = {}): unknown {
    return proxyConfig(sources({ flags, env }));
  }

  function exit(flags: Sources['flags'], env: Sources['env'] = {}): unknown {
    return exitConfig(sources({ flags, env }));
  }
});
