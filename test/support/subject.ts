// A program to be watched, of which nothing is real but its account of streams.

import { pino } from 'pino';
import { RelayLedger } from '../../src/relay/counts.js';
import type { Subject } from '../../src/status/state/watch.js';
import { Accounts } from '../../src/tunnel/accounts/accounts.js';

export function subject(own: Partial<Subject> = {}): Subject {
  const { role = 'proxy' } = own;
  const side = role === 'proxy' ? 'entry' : 'exit';
  return {
    role,
    pool: { links: () => [], ledger: new RelayLedger() },
    session: { peers: [], restsUntil: () => undefined, ignored: NOTHING_IGNORED },
    accounts: new Accounts(side, pino({ level: 'silent' })),
    obstacle: () => undefined,
    pins: () => [],
    pinsKnown: () => 0,
    ...own,
  };
}

const NOTHING_IGNORED = {
  duplicate: 0,
  badEvent: 0,
  foreign: 0,
  undecryptable: 0,
  skewed: 0,
  badMessage: 0,
};
