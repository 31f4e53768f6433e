import { expect } from 'chai';
import { NwsError } from '../../src/errors.js';
import { peersOf } from '../../src/status/state/watch.js';
import { subject } from '../support/subject.js';

describe('status: direct paths', () => {
  const peer = 'a'.repeat(64);

  function rowWith(direct: Parameters<typeof subject>[0]): unknown {
    const watched = subject(direct);
    const error = new NwsError('dns_error', 'no such host');
    watched.accounts.refused({ peer, destination: 'any:1' }, error);
    return peersOf(watched, 10)[0]!.direct;
  }

  it('say where they lead', () => {
    const direct = () => ({ peer, state: 'standing', remote: '8.8.8.8:5', rttMs: 7.123 }) as const;
    expect(rowWith({ direct })).to.deep.equal({
      state: 'standing',
      remote: '8.8.8.8:5',
      rttMs: 7.1,
    });
  });

  it('say why there is none, and nothing where none is looked for', () => {
    const reason = 'no probe came through';
    const direct = () => ({ peer, state: 'resting', reason }) as const;
    expect(rowWith({ direct })).to.deep.equal({ state: 'resting', reason });
    expect(rowWith({})).to.equal(undefined);
  });
});
