// Failures of the last hour: counted by code, with the last of each, and gone when the hour is over.

import { expect } from 'chai';
import { NwsError } from '../../../src/errors.js';
import { Failures } from '../../../src/tunnel/accounts/failures.js';

const MINUTE = 60_000;
const refused = new NwsError('connection_refused', 'nobody there', { hint: 'start it' });
const lost = new NwsError('relay_unreachable', 'no relay');

describe('tunnel/failures', () => {
  const counts = (failures: Failures, now: number): object =>
    Object.fromEntries(failures.list(now).map(({ code, count }) => [code, count]));

  it('begin with none', () => {
    expect(new Failures().list()).to.deep.equal([]);
  });

  it('keep the last of each code, the newest first', () => {
    const failures = new Failures();
    failures.note(refused, 'a.nostr', 1_000);
    failures.note(lost, 'b.nostr', 2_000);
    failures.note(new NwsError('connection_refused', 'still nobody'), 'c.nostr', 3_000);
    expect(failures.list(4_000)).to.deep.equal([
      {
        code: 'connection_refused',
        count: 2,
        at: 3_000,
        message: 'still nobody',
        hint: 'start it',
        about: 'c.nostr',
      },
      {
        code: 'relay_unreachable',
        count: 1,
        at: 2_000,
        message: 'no relay',
        hint: undefined,
        about: 'b.nostr',
      },
    ]);
  });

  it('forget what is older than an hour, minute by minute, and count it in sums all the same', () => {
    const failures = new Failures();
    const start = 1_000 * 60 * MINUTE;
    for (let minute = 0; minute < 90; minute += 1) {
      failures.note(refused, 'x', start + minute * MINUTE);
    }
    const last = start + 89 * MINUTE;
    expect(counts(failures, last)).to.deep.equal({ connection_refused: 60 });
    expect(counts(failures, last + 20 * MINUTE)).to.deep.equal({ connection_refused: 40 });
    expect(counts(failures, last + 59 * MINUTE)).to.deep.equal({ connection_refused: 1 });
    expect(counts(failures, last + 60 * MINUTE)).to.deep.equal({});
    failures.note(refused, 'x', last + 500 * MINUTE);
    expect(counts(failures, last + 500 * MINUTE)).to.deep.equal({ connection_refused: 1 });
    expect(failures.totals()).to.deep.equal([['connection_refused', 91]]);
  });

  it('hold no more of a text than fits', () => {
    const failures = new Failures();
    failures.note(
      new NwsError('dns_error', 'm'.repeat(9_999), { hint: 'h'.repeat(9_999) }),
      'a'.repeat(9_999),
    );
    const [{ message, hint, about } = { message: '', hint: '', about: '' }] = failures.list();
    expect([message, hint, about].map((text) => text?.length)).to.deep.equal([512, 512, 512]);
  });
});
