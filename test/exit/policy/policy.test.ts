// Which destinations are the exit's own, and what a public exit opens and keeps closed.

import { expect } from 'chai';
import { ownAddresses } from '../../../src/common/net/own-addresses.js';
import { createSigner, generateSecretKey } from '../../../src/crypto/signer.js';
import { Policy, type PolicyOptions } from '../../../src/exit/policy/policy.js';
import { parseRule } from '../../../src/exit/policy/rules.js';
import { encodeName, encodeNprofile, encodeNpub } from '../../../src/protocol/names/address.js';
import { expectError } from '../../support/expect-error.js';
import { CLOSED_DESTINATIONS } from './destinations.table.js';
import { CLOSED_ADDRESSES, NO_ADDRESSES, OPEN_ADDRESSES, OWN_ADDRESSES } from './policy.table.js';

const { pubkey } = createSigner(generateSecretKey());
const NAME = 'www.example.com';

function policy(options: Partial<PolicyOptions> = {}): Policy {
  const closed = { isPublic: false, allow: [], deny: [], ownAddresses: () => OWN_ADDRESSES };
  return new Policy({ ownPubkey: pubkey, ...closed, ...options });
}

function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

describe('exit/policy, the own target', () => {
  const other = createSigner(generateSecretKey()).pubkey;
  const relays = ['ws://127.0.0.1:7777', 'wss://relay.example'];
  const namesOf = (key: string): string[] => [
    encodeName({ pubkey: key, relays }),
    encodeName({ pubkey: key, relays: [] }),
    encodeNpub(key),
    `${encodeNpub(key)}.nostr`,
    encodeNprofile({ pubkey: key, relays }),
    `${encodeNprofile({ pubkey: key, relays })}.nostr`,
  ];

  it('goes by every name of the key, on any port and in any case, and by no name', () => {
    const everythingDenied = policy({ deny: ['*', '0.0.0.0/0', '::/0'].map(parseRule) });
    const ownTarget = { kind: 'own-target' };
    for (const name of namesOf(pubkey)) {
      for (const destination of [name, `${name}:443`, `${name}:22`, name.toUpperCase()]) {
        for (const each of [policy(), policy({ isPublic: true }), everythingDenied]) {
          expect(each.judgeDestination(destination), destination).to.deep.equal(ownTarget);
        }
      }
    }
    expect(policy().judgeDestination('')).to.deep.equal(ownTarget);
  });

  it('is all there is without rules', () => {
    const hosts = ['example.com', '127.0.0.1', '8.8.8.8', '[::1]', '169.254.169.254', 'localhost'];
    hosts.push('nostr', `${pubkey}`, `${pubkey}.nostr`, `${encodeNpub(pubkey)}.nostr.example.com`);
    hosts.push('.nostr', ':', ' ', `x.${encodeNpub(pubkey)}.nostr`, 'a'.repeat(2000));
    for (const host of [...hosts, ...namesOf(other)]) {
      for (const destination of [host, `${host}:80`, `${host}:70000x`]) {
        const error = expectError('destination_ip_prohibited', () =>
          policy().judgeDestination(destination),
        );
        expect(error.status).to.equal(403);
        expect(error.hint).not.to.equal(undefined);
      }
    }
  });

  it('of another exit stays closed on a public one', () => {
    for (const name of namesOf(other)) {
      expectError('destination_ip_prohibited', () =>
        policy({ isPublic: true }).judgeDestination(`${name}:443`),
      );
    }
  });
});

describe('exit/policy, a public exit', () => {
  const open = policy({ isPublic: true });
  const refused = (act: () => unknown): void => {
    const error = expectError('destination_ip_prohibited', act);
    expect(error.status).to.equal(403);
    expect(error.hint).not.to.equal(undefined);
  };

  for (const [address, why] of CLOSED_ADDRESSES) {
    it(`does not go to ${address}, ${why}`, () => {
      for (const port of [80, 443, 22]) {
        refused(() => open.judgeAddress(NAME, address, port));
        refused(() => open.judgeAddress(address, address, port));
        refused(() => open.judgeDestination(withPort(address, port)));
        refused(() => open.judgeReverse(address, port));
        refused(() => open.judgeReverseDestination(withPort(address, port)));
      }
    });
  }

  for (const [text, why] of NO_ADDRESSES) {
    it(`takes ${text} for no address, ${why}`, () => {
      const named = policy({ isPublic: true, allow: ['*', '0.0.0.0/0', '::/0'].map(parseRule) });
      for (const each of [open, named]) {
        refused(() => each.judgeAddress(NAME, text, 80));
        refused(() => each.judgeReverse(text, 80));
      }
    });
  }

  for (const [address, why] of OPEN_ADDRESSES) {
    it(`goes to ${address}, ${why}`, () => {
      for (const port of [80, 443]) {
        open.judgeAddress(NAME, address, port);
        expect(open.judgeDestination(withPort(address, port))).to.include({ kind: 'dial', port });
      }
      refused(() => open.judgeAddress(NAME, address, 22));
      open.judgeReverse(address, 22);
      open.judgeReverse(address, 65_535);
    });
  }

  for (const [destination, why] of CLOSED_DESTINATIONS) {
    it(`does not resolve ${destination.slice(0, 80)}, ${why}`, () => {
      refused(() => open.judgeDestination(destination));
    });
  }

  it('resolves names as clients write them', () => {
    const host = 'xn--bcher-kva.example';
    for (const text of [host, `${host}.`, host.toUpperCase()]) {
      expect(open.judgeDestination(`${text}:443`)).to.deep.equal({ kind: 'dial', host, port: 443 });
    }
    for (const text of ['a_b.example.com:80', '123.example.com:80', `${'a.'.repeat(125)}com:80`]) {
      expect(open.judgeDestination(text)).to.include({ kind: 'dial', port: 80 });
    }
    expect(open.judgeReverseDestination('home.example.net:8883')).to.deep.equal({
      host: 'home.example.net',
      isAddress: false,
      port: 8883,
    });
  });

  it('dials back to no local name', () => {
    for (const text of [
      'localhost:80',
      'router:80',
      'x.internal:80',
      'x.onion:80',
      '127.1:80',
      '',
    ]) {
      refused(() => open.judgeReverseDestination(text));
    }
  });

  it('tells a stranger the same of every refusal, and its operator the reason', () => {
    const deny = [parseRule('denied.example'), parseRule('9.9.9.9')];
    const each = policy({ isPublic: true, deny });
    const errors = [
      () => each.judgeDestination('denied.example:443'),
      () => each.judgeDestination('intranet:443'),
      () => each.judgeDestination('www.example.com:22'),
      () => each.judgeAddress('inside.example', '10.0.0.5', 443),
      () => each.judgeAddress('inside.example', 'fd00::5', 443),
      () => each.judgeAddress('www.example.com', '9.9.9.9', 443),
      () => each.judgeReverse('93.184.215.14', 443),
    ].map((act) => expectError('destination_ip_prohibited', act));
    expect(new Set(errors.map(({ line }) => line)).size).to.equal(1);
    expect(errors[0]!.message.length).to.be.lessThan(200);
    const reasons = errors.map(({ cause }) => (cause as Error).message);
    expect(new Set(reasons).size).to.equal(reasons.length);
    expect(reasons[3]).to.contain('--allow 10.0.0.5:443');
    expect(reasons[4]).to.contain('--allow [fd00::5]:443');
  });

  it('knows the addresses of the machine that it runs on', () => {
    const here = policy({ allow: [parseRule('*')], ownAddresses });
    const own = ownAddresses();
    expect(own.some((text) => text.startsWith('127.'))).to.equal(true);
    for (const text of own) refused(() => here.judgeAddress(NAME, text.split('/')[0]!, 443));
  });
});
