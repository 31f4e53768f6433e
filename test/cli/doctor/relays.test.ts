// What `nws doctor` says about relays of different habits.

import { expect } from 'chai';
import { probeRelay } from '../../../src/cli/doctor/probe/probe.js';
import { inWords } from '../../../src/cli/doctor/probe/words.js';
import type { RelayBehaviour } from '../../../src/relay/embedded/behaviour.js';
import { MemoryRelay } from '../../../src/relay/embedded/memory-relay.js';
import { PRESETS } from '../../../src/relay/embedded/presets.js';
import { silent } from '../../proxy/fixture.js';
import { until } from '../../support/until.js';

describe('doctor: a relay', function () {
  this.timeout(60_000);

  async function said(behaviour: Partial<RelayBehaviour>) {
    const relay = await MemoryRelay.start({ behaviour, seed: 1 });
    try {
      const probe = await probeRelay({ url: relay.url, log: silent });
      await until(() => relay.stats.connections === 0);
      return { ...inWords(relay.url, probe), probe };
    } finally {
      await relay.close();
    }
  }

  const cases: readonly [
    what: string,
    behaviour: Partial<RelayBehaviour>,
    status: string,
    ...words: RegExp[],
  ][] = [
    ['plain', {}, 'ok', /events of 65536 bytes pass; confirms; in order$/],
    ['strfry', PRESETS.strfry, 'ok', /keeps ephemerals for those who come later/],
    ['nostr-rs-relay', PRESETS['nostr-rs-relay'], 'ok', /delivers, never confirms/],
    ['khatru with AUTH', PRESETS.khatru, 'ok', /asks for authentication \(NIP-42\)/],
    ['strict', PRESETS.strict, 'note', /events of 16384 bytes pass/],
    ['one that delivers twice', { duplicate: 1 }, 'ok', /some twice/],
    [
      'one that refuses all',
      { refuse: 'blocked: not here' },
      'failed',
      /forwards nothing: blocked: not here/,
    ],
    ['one that loses all', { loss: 1 }, 'failed', /forwards nothing$/],
    [
      'one that takes less than it says',
      { refuse: (event) => (event.content.length > 20_000 ? 'invalid: too large' : undefined) },
      'note',
      /events of 16384 bytes pass/,
    ],
  ];
  for (const [what, behaviour, status, ...words] of cases) {
    it(`says what is to be said of ${what}`, async () => {
      const finding = await said(behaviour);
      expect(finding.found).to.match(words[0]!);
      expect(finding.status).to.equal(status);
      if (status !== 'ok') expect(finding.hint).to.be.a('string').that.is.not.empty;
    });
  }

  it('shows nothing of a stranger’s text that a terminal would obey', async () => {
    const { found } = await said({ refuse: 'blocked: \u001b[2J\u0007oops' });
    expect(found).to.match(/blocked: \?\[2J\?oops/);
  });

  it('says when events were taken for a while only', async () => {
    let left = 4;
    const refuse = () => (left-- > 0 ? undefined : 'rate-limited: slow down');
    const { status, found, hint, probe } = await said({ refuse });
    expect(status).to.equal('note');
    expect(found).to.match(/took 4 events, then no more: rate-limited: slow down/);
    expect(hint).to.include('ration');
    expect(probe.published).to.be.lessThan(15);
  });

  it('sends no more than a few events', async () => {
    const { probe } = await said({});
    expect(probe).to.include({ published: 9, delivered: 9, confirmed: 9, duplicates: 0 });
  });
});
