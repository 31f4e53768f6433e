// `.env` files, those made for the Go program above all: they have to work here as they are.

import { expect } from 'chai';
import { baseConfig, exitConfig, proxyConfig } from '../../src/config/config.js';
import { parseDotenv } from '../../src/config/env.js';
import { createSigner } from '../../src/crypto/signer.js';
import { refused, sources } from './support.js';

const KEY = '11'.repeat(32);
const PUBKEY = createSigner(Buffer.from(KEY, 'hex')).pubkey;

describe('.env', () => {
  const lines: readonly [line: string, value: string][] = [
    ['A=plain', 'plain'],
    ['A = spaced out', 'spaced out'],
    ['\tA\t=\ttabs\t', 'tabs'],
    ["A='single' # comment", 'single'],
    ['A="double"#comment', 'double'],
    ["A='# no comment'", '# no comment'],
    ['A=plain # comment', 'plain'],
    ['A=sharp#inside', 'sharp#inside'],
    ['A=# nothing', ''],
    ['A=', ''],
    ['A=""', ''],
    ['A=a=b', 'a=b'],
    ['export A=exported', 'exported'],
    ['export \t A="exported"', 'exported'],
    ['A: yaml', 'yaml'],
    ['A="unterminated', '"unterminated'],
    ['A=1\nA=2', '2'],
    ['\ufeffA=marked', 'marked'],
    ['no assignment\nA=after', 'after'],
    ['# A=commented\nA=live', 'live'],
    ['A=carriage\r\nB=return', 'carriage'],
  ];

  for (const [line, value] of lines) {
    it(`reads ${JSON.stringify(line)}`, () => {
      const dotenv = line.replace(/\bA\b/g, 'NWS_HOST_HEADER');
      const flags = { target: 'http://127.0.0.1:1', relay: ['ws://a.example'] };
      const { hostHeader } = exitConfig(sources({ dotenv, flags }));
      expect(hostHeader ?? '').to.equal(value);
    });
  }

  it('keeps every one of several quoted values', () => {
    expect(parseDotenv(`A="a" ; 'b',"c" # rest`).A).to.equal(`"a" ; 'b',"c"`);
  });
});

describe('relays in NOSTR_RELAYS', () => {
  const both = ['ws://a.example', 'wss://b.example'];
  const ways = [
    'ws://a.example;wss://b.example',
    'ws://a.example,wss://b.example/',
    '"ws://a.example;wss://b.example"',
    "'ws://a.example ; wss://b.example;'",
    '"ws://a.example";"wss://b.example"',
    `"ws://a.example" ; 'wss://b.example',ws://a.example/;;`,
    `'"ws://a.example";"wss://b.example"'`,
  ];
  for (const written of ways) {
    it(`may be written ${written}, exported or not`, () => {
      const dotenv = `NOSTR_RELAYS = ${written}\nPUBLIC=true\n`;
      expect(baseConfig(sources({ dotenv })).relays).to.deep.equal(both);
      const env = { NOSTR_RELAYS: ` ${written} ` };
      expect(baseConfig(sources({ env })).relays).to.deep.equal(both);
    });
  }

  it('are not taken for none where only separators are written', () => {
    const error = refused(() => baseConfig(sources({ env: { NOSTR_RELAYS: ' ; ' } })));
    expect(error.message).to.equal('NOSTR_RELAYS names nothing');
  });
});

describe("the Go program's .env", () => {
  const EXIT = `# where the exit is known
#NOSTR_RELAYS = 'wss://relay.example'
NOSTR_RELAYS = 'ws://localhost:6666;wss://relay.example'
NOSTR_PRIVATE_KEY = "${KEY}"
BACKEND_HOST = 'localhost:3338'
BACKEND_SCHEME = 'http'
PUBLIC = false
`;
  const BOTH = `NOSTR_RELAYS = 'ws://0.0.0.0:7777'#NOSTR_RELAYS = 'ws://localhost:6666'
NOSTR_PRIVATE_KEY = ""
BACKEND_HOST = 'localhost:3338'
PUBLIC = true
PUBLIC_ADDRESS = 'localhost:4443'

# of the service beside it
DERIVATION_PATH_IDX=0
CONTACT_INFO=[["email", "me@mail.example"], ["nostr", "npub..."]]
URLS=["https://<mint>", "https://<other>"]
`;
  const COMPOSED = `NOSTR_RELAYS=ws://nostr-relay:7777
NOSTR_PRIVATE_KEY=
BACKEND_HOST=':4443'
`;

  it('starts an exit', () => {
    const config = exitConfig(sources({ dotenv: EXIT }));
    expect(config.relays).to.deep.equal(['ws://localhost:6666', 'wss://relay.example']);
    expect(config.signer?.pubkey).to.equal(PUBKEY);
    expect(config.target).to.include({ kind: 'tcp', host: 'localhost', port: 3338 });
    expect(config).to.include({ isPublic: false });
    expect(config.warnings).to.deep.equal([]);
  });

  it('starts a public exit, for which PUBLIC_ADDRESS means nothing', () => {
    const config = exitConfig(sources({ dotenv: BOTH }));
    expect(config.relays).to.deep.equal(['ws://0.0.0.0:7777']);
    expect(config).to.include({ isPublic: true, signer: undefined, announceIntervalS: 10 });
    expect(config.target).to.include({ kind: 'tcp', port: 3338 });
    expect(config.warnings).to.deep.equal([]);
    const odd = `${EXIT}PUBLIC_ADDRESS=<public_ip>:<port>\n`;
    expect(exitConfig(sources({ dotenv: odd })).target).to.include({ port: 3338 });
  });

  it('starts an exit with a backend on this machine, and a target goes before it', () => {
    const { target } = exitConfig(sources({ dotenv: COMPOSED }));
    expect(target).to.include({ kind: 'tcp', host: '127.0.0.1', port: 4443 });
    const flags = { target: 'http://mint:3338' };
    const given = exitConfig(sources({ dotenv: COMPOSED, flags })).target;
    expect(given).to.include({ kind: 'http', host: 'mint', port: 3338 });
  });

  it('starts a public exit without any backend', () => {
    for (const word of ['true', 'TRUE', "'true'", '"True"', '1', 't', 'T']) {
      const dotenv = `NOSTR_RELAYS=ws://a.example\nPUBLIC=${word}\n`;
      expect(exitConfig(sources({ dotenv }))).to.include({ target: undefined, isPublic: true });
    }
  });

  it('starts a proxy, which exits reach where PUBLIC_ADDRESS says', () => {
    const config = proxyConfig(sources({ dotenv: BOTH }));
    expect(config.relays).to.deep.equal(['ws://0.0.0.0:7777']);
    expect(config.publicAddress).to.deep.equal({ host: 'localhost', port: 4443 });
    expect(config.reverseListen).to.deep.equal({ host: '::', port: 4443 });
    expect(config.warnings).to.deep.equal([]);
  });

  it('has the proxy listen for exits where PUBLIC_ADDRESS_BIND says', () => {
    const bind = (text: string) =>
      proxyConfig(sources({ dotenv: `${BOTH}PUBLIC_ADDRESS_BIND=${text}\n` })).reverseListen;
    expect(bind("'0.0.0.0:4444'")).to.deep.equal({ host: '0.0.0.0', port: 4444 });
    expect(bind("':4444'")).to.deep.equal({ host: '::', port: 4444 });
  });

  it('starts a proxy without reverse connections where the address is empty', () => {
    for (const written of ['', '""', "''", '  ']) {
      const dotenv = `${EXIT}PUBLIC_ADDRESS=${written}\nPUBLIC_ADDRESS_BIND=:4444\n`;
      const config = proxyConfig(sources({ dotenv }));
      expect(config).to.not.have.any.keys('publicAddress', 'reverseListen');
    }
  });
});
