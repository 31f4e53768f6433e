// Who may come, and the bounds of one client, in a time that the test makes. How the bytes wait is PacedStream's.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  admits,
  type ClientLimits,
  Clients,
  DEFAULT_CLIENT_LIMITS,
} from '../../../src/exit/clients/clients.js';
import { expectError } from '../../support/expect-error.js';

const [ALICE, BOB] = ['a'.repeat(64), 'b'.repeat(64)] as const;
/** Clients that are remembered. */
const MAX_CLIENTS = 8_192;
const MINUTE_MS = 60_000;

describe('exit/clients', () => {
  let now: number;
  let clients: Clients;

  function limit(limits: Partial<ClientLimits>): void {
    now = 0;
    clients = new Clients({ ...DEFAULT_CLIENT_LIMITS, ...limits }, () => now);
  }
  const enter = (pubkey = ALICE) => clients.enter(pubkey);
  const refused = (pubkey = ALICE, message = /./) =>
    expectError('connection_limit_reached', () => clients.enter(pubkey), message);

  describe('who may come', () => {
    const only = (...keys: string[]): ReadonlySet<string> => new Set(keys);

    it('is everybody without lists, and those on the list where there is one', () => {
      expect(admits({}, ALICE)).to.equal(true);
      expect(admits({ allowClients: only(ALICE) }, ALICE)).to.equal(true);
      expect(admits({ allowClients: only(ALICE) }, BOB)).to.equal(false);
      expect(admits({ allowClients: only() }, ALICE)).to.equal(false);
    });

    it('is nobody who is denied, on the list or not', () => {
      expect(admits({ denyClients: only(ALICE) }, ALICE)).to.equal(false);
      expect(admits({ denyClients: only(ALICE) }, BOB)).to.equal(true);
      const both = { allowClients: only(ALICE, BOB), denyClients: only(ALICE) };
      expect([admits(both, ALICE), admits(both, BOB)]).to.deep.equal([false, true]);
    });
  });

  describe('streams at once', () => {
    it('are so many, and one more when one has ended', () => {
      limit({ streams: 2 });
      enter();
      enter();
      expect(refused(ALICE, /2 streams at once/).hint).to.be.a('string');
      clients.leave(ALICE);
      enter();
      refused();
    });

    it('are counted for each client by itself', () => {
      limit({ streams: 1 });
      enter(ALICE);
      enter(BOB);
      clients.leave(ALICE);
      refused(BOB);
      enter(ALICE);
    });

    it('are as many by default as a peer may have', () => {
      limit({});
      for (let count = 0; count < DEFAULT_CLIENT_LIMITS.streams; count += 1) enter();
      refused(ALICE, /10000 streams at once/);
    });

    it('end for a client that nobody remembers, too', () => {
      limit({ streams: 1 });
      clients.leave(ALICE);
      enter();
      refused();
    });
  });

  describe('opens a minute', () => {
    /** Asks for a stream that ends at once. */
    function visit(pubkey = ALICE): void {
      enter(pubkey);
      clients.leave(pubkey);
    }

    it('are so many, and come back with time', () => {
      limit({ opensPerMinute: 3 });
      for (let count = 0; count < 3; count += 1) visit();
      refused(ALICE, /3 streams a minute/);
      now += MINUTE_MS / 3 - 1;
      refused();
      now += 1;
      visit();
      refused();
      now += MINUTE_MS;
      for (let count = 0; count < 3; count += 1) visit();
      refused();
    });

    it('are no more after a long silence', () => {
      limit({ opensPerMinute: 3 });
      visit();
      now += 100 * MINUTE_MS;
      for (let count = 0; count < 3; count += 1) visit();
      refused();
    });

    it('are counted for each client by itself', () => {
      limit({ opensPerMinute: 1 });
      visit(ALICE);
      refused(ALICE);
      visit(BOB);
    });

    it('are used up by streams that are refused because of others', () => {
      limit({ streams: 1, opensPerMinute: 2 });
      enter();
      refused(ALICE, /at once/);
      clients.leave(ALICE);
      refused(ALICE, /a minute/);
    });

    it('come back for those who keep asking, too', () => {
      limit({ opensPerMinute: 1 });
      visit();
      for (now = 1_000; now < MINUTE_MS; now += 1_000) refused();
      now = MINUTE_MS + 1;
      visit();
    });

    it('are the number by default that the settings say', () => {
      limit({});
      for (let count = 0; count < DEFAULT_CLIENT_LIMITS.opensPerMinute; count += 1) visit();
      refused(ALICE, /12000 streams a minute/);
    });
  });

  it('share one rate each way between all streams of a client, and none with others', () => {
    limit({ bytesPerSecond: 1_000 });
    const [first, second, other] = [enter(ALICE), enter(ALICE), enter(BOB)];
    first.up.take(1_250, 1_000);
    second.up.take(1_000, 1_000);
    const waits = [first.up, second.up, second.down, other.up].map((rate) => rate.waitMs(1_000));
    expect(waits).to.deep.equal([2_000, 2_000, 0, 0]);
    clients.leave(ALICE);
    clients.leave(ALICE);
    expect(enter(ALICE).up.waitMs(1_000)).to.equal(2_000);
  });

  it('have no rate by default', () => {
    limit({});
    const { up, down } = enter();
    expect([up.isLimited, down.isLimited]).to.deep.equal([false, false]);
  });

  describe('however many come', () => {
    let seen = 0;

    /** So many others who were never here, each with a stream that ends at once. */
    function crowd(count: number): void {
      for (const last = seen + count; seen < last; seen += 1) {
        const pubkey = seen.toString(16).padStart(64, '0');
        enter(pubkey);
        clients.leave(pubkey);
      }
    }

    it('are forgotten past the bound, the longest silent first', () => {
      limit({ opensPerMinute: 1 });
      for (const pubkey of [ALICE, BOB]) {
        enter(pubkey);
        clients.leave(pubkey);
      }
      crowd(MAX_CLIENTS - 2);
      refused(BOB);
      refused(ALICE); // both are remembered, and no longer the longest silent
      crowd(MAX_CLIENTS - 2);
      enter('c'.repeat(64));
      refused(ALICE); // Bob has gone
      enter(BOB);
    });

    it('are remembered while they have streams', () => {
      limit({ streams: 1 });
      enter(ALICE);
      crowd(2 * MAX_CLIENTS);
      refused(ALICE, /at once/);
    });
  });

  it('never have more than their bounds, whatever they do', () => {
    const acts = fc.array(
      fc.tuple(fc.constantFrom('enter', 'leave', 'wait'), fc.constantFrom(ALICE, BOB)),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(acts, (list) => {
        limit({ streams: 3, opensPerMinute: 10 });
        const open = { [ALICE]: 0, [BOB]: 0 };
        const opens = { [ALICE]: 0, [BOB]: 0 };
        for (const [act, who] of list) {
          if (act === 'wait') now += 1_000;
          else if (act === 'leave' && open[who]! > 0) {
            clients.leave(who);
            open[who]! -= 1;
          } else if (act === 'enter') {
            try {
              enter(who);
              open[who]! += 1;
              opens[who]! += 1;
            } catch {
              // at a bound
            }
          }
          expect(open[who]).to.be.at.most(3);
          expect(opens[who]).to.be.at.most(10 + (now * 10) / MINUTE_MS);
        }
      }),
    );
  });
});
