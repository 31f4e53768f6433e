// Which destinations are the exit's own.

import { expect } from 'chai';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import { judgeDestination } from '../../src/exit/policy.js';
import { encodeName, encodeNprofile, encodeNpub } from '../../src/protocol/address.js';
import { expectError } from '../support/expect-error.js';

describe('exit/policy', () => {
  const { pubkey } = createSigner(generateSecretKey());
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

  it('takes every name of the own key, on any port and in any case, and no name at all', () => {
    for (const name of namesOf(pubkey)) {
      for (const destination of [name, `${name}:443`, `${name}:22`, name.toUpperCase()]) {
        expect(judgeDestination(destination, pubkey), destination).to.equal('own-target');
      }
    }
    expect(judgeDestination('', pubkey)).to.equal('own-target');
  });

  it('refuses everything else', () => {
    const hosts = ['example.com', '127.0.0.1', '[::1]', '169.254.169.254', 'localhost', 'nostr'];
    hosts.push(`${pubkey}`, `${pubkey}.nostr`, `${encodeNpub(pubkey)}.nostr.example.com`);
    hosts.push('.nostr', ':', ' ', `x.${encodeNpub(pubkey)}.nostr`, 'a'.repeat(2000));
    for (const host of [...hosts, ...namesOf(other)]) {
      for (const destination of [host, `${host}:80`]) {
        const error = expectError('destination_ip_prohibited', () =>
          judgeDestination(destination, pubkey),
        );
        expect(error.status).to.equal(403);
        expect(error.hint).not.to.equal(undefined);
      }
    }
  });

  it('refuses a bare port, which names nothing', () => {
    expectError('destination_ip_prohibited', () => judgeDestination(':70000x', pubkey));
  });
});
