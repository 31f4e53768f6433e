// What the account knows of streams while they are open: bytes so far by way, peers and destinations.

import { expect } from 'chai';
import { pino } from 'pino';
import { NwsError } from '../../../src/errors.js';
import { Accounts } from '../../../src/tunnel/accounts/accounts.js';
import { FakeStream } from '../../status/streams.js';

const PEER = 'a'.repeat(64);

describe('tunnel/accounts, of what is open', () => {
  const accounts = (role: 'entry' | 'exit'): Accounts =>
    new Accounts(role, pino({ level: 'silent' }));
  const facts = (destination = 'x.nostr:443') => ({ stream: 'key', peer: PEER, destination });

  it('counts as bytes pass, whichever side it is', () => {
    for (const [role, sums] of [
      ['entry', { bytesUp: 4, bytesDown: 3 }],
      ['exit', { bytesUp: 3, bytesDown: 4 }],
    ] as const) {
      const account = accounts(role);
      const stream = new FakeStream(1, 1);
      account.opened(facts(), stream);
      stream.carry(2, 3);
      expect(account.ways.get('relay')).to.deep.equal({ opened: 1, open: 1, ...sums });
      const [open] = account.streams;
      expect(open).to.include({ id: 1, key: 'key', peer: PEER, destination: 'x.nostr:443' });
      expect(open?.bytes).to.deep.equal(sums);
    }
  });

  it('counts no byte twice when a stream ends', async () => {
    const account = accounts('exit');
    const stream = new FakeStream(5, 6);
    account.opened({ ...facts(), way: 'reverse' }, stream);
    const before = account.ways.get('reverse');
    await stream.close();
    expect(before).to.deep.equal({ opened: 1, open: 1, bytesUp: 5, bytesDown: 6 });
    expect(account.ways.get('reverse')).to.deep.equal({ ...before, open: 0 });
    expect([...account.streams]).to.deep.equal([]);
  });

  it('sums by peer and by destination, of those that were met last', async () => {
    const account = accounts('exit');
    const stream = new FakeStream(5, 6);
    account.opened(facts('own'), stream);
    account.refused(facts('10.0.0.1:22'), new NwsError('destination_ip_prohibited', 'no'));
    await stream.close();
    const [[, peer] = []] = account.peers.entries();
    expect(peer).to.deep.include({ opened: 1, refused: 1, bytesUp: 5, bytesDown: 6 });
    for (let count = 0; count < 1_000; count += 1) {
      account.refused(facts(`h${count}:1`), new NwsError('destination_ip_prohibited', 'no'));
    }
    const names = [...account.destinations.entries()].map(([name]) => name);
    expect(names).to.have.length(512);
    expect(names.at(-1)).to.equal('h999:1');
  });

  it('notes the failures of an exit, and not that a client had enough', async () => {
    const account = accounts('exit');
    for (const error of [undefined, new NwsError('exit_unreachable', 'gone')]) {
      const stream = new FakeStream();
      account.opened(facts(), stream);
      await stream.close(error);
    }
    account.refused(facts('10.0.0.1:22'), new NwsError('destination_ip_prohibited', 'no'));
    const codes = account.failures.list().map(({ code, about }) => [code, about]);
    expect(codes).to.have.deep.members([
      ['destination_ip_prohibited', '10.0.0.1:22'],
      ['exit_unreachable', 'x.nostr:443'],
    ]);
  });
});
