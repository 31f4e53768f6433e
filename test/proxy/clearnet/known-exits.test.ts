// Which exits are known, when they are looked for again, and for how long an answer counts.

import { expect } from 'chai';
import { NwsError } from '../../../src/errors.js';
import { KnownExits, type WebExit } from '../../../src/proxy/clearnet/known-exits.js';
import { errorOf } from '../../support/expect-error.js';
import { until } from '../../support/until.js';
import { silent } from '../fixture.js';

const MINUTE_MS = 60_000;
const RELAY = 'ws://relay.example';

const exits = (names: string): WebExit[] =>
  [...names].map((pubkey) => ({ pubkey, relays: [RELAY] }));

describe('proxy/known-exits', () => {
  let now: number;
  let announced: readonly WebExit[] | NwsError;
  let searches: number;
  let known: KnownExits;

  function know(chosen: readonly WebExit[] = [], relays: readonly string[] = []): void {
    const discover = async (): Promise<readonly WebExit[]> => {
      searches += 1;
      if (announced instanceof NwsError) throw announced;
      return announced;
    };
    known = new KnownExits({ chosen, relays, discover, log: silent, now: () => now });
  }

  beforeEach(() => {
    now = 0;
    announced = exits('AB');
    searches = 0;
    know();
  });

  const names = async () => (await known.list()).map(({ pubkey }) => pubkey).join('');
  /** Asks, and lets the search that this starts come to its end. */
  async function refresh(): Promise<void> {
    const before = searches;
    await known.list();
    await until(() => searches > before);
    await new Promise(setImmediate);
  }

  it('searches once for all who ask at once, and not again for a while', async () => {
    expect(await Promise.all([names(), names()])).to.deep.equal(['AB', 'AB']);
    now = 29_000;
    announced = exits('C');
    expect(await names()).to.equal('AB');
    expect(searches).to.equal(1);
  });

  it('looks again without making anybody wait, and drops what some searches have missed', async () => {
    await names();
    announced = exits('CB');
    for (const expected of ['AB', 'CBA', 'CBA', 'CB']) {
      expect(await names()).to.equal(expected);
      now += 31_000;
      await refresh();
    }
  });

  it('waits for a new answer when the old one is minutes old', async () => {
    await names();
    announced = exits('C');
    now = 6 * MINUTE_MS;
    expect(await names()).to.equal('C');
  });

  it('believes for minutes what it knows when nobody can be asked', async () => {
    await names();
    announced = new NwsError('relay_unreachable', 'no relay is reachable');
    now = 2 * MINUTE_MS;
    expect(await names()).to.equal('AB');
    now = 6 * MINUTE_MS;
    expect(await errorOf(names)).to.equal(announced);
  });

  it('says so where there is none, and believes that for a second', async () => {
    announced = [];
    const error = await errorOf(names);
    expect(error).to.include({ code: 'exit_unreachable' });
    expect(error.hint).to.include('--exit').and.include('nws discover');
    await errorOf(names);
    expect(searches).to.equal(1);
    announced = exits('A');
    now = 1_001;
    expect(await names()).to.equal('A');
  });

  it('searches once for those who found none that works', async () => {
    await names();
    announced = exits('C');
    now = 1_001;
    const renewed = await Promise.all([known.renewed(), known.renewed()]);
    expect(renewed).to.deep.equal([exits('CAB'), exits('CAB')]);
    expect(searches).to.equal(2);
  });

  it('lets them wait for that where the last search was just now', async () => {
    await names();
    const renewing = known.renewed();
    await new Promise(setImmediate);
    expect(searches).to.equal(1);
    now = 1_001;
    await renewing;
    expect(searches).to.equal(2);
  });

  it('knows 64 at most, the ones found last', async () => {
    await names();
    announced = Array.from({ length: 64 }, (_, n) => ({ pubkey: `${n}`, relays: [RELAY] }));
    now = 31_000;
    await refresh();
    expect(await known.list()).to.deep.equal(announced);
  });

  it('takes the exits that the user chose as they are, on the entry’s relays where they name none', async () => {
    const [first] = exits('X');
    know([first!, { pubkey: 'Y', relays: [] }], ['ws://own.example']);
    expect(await known.list()).to.deep.equal([
      first,
      { pubkey: 'Y', relays: ['ws://own.example'] },
    ]);
    expect(searches).to.equal(0);
  });

  it('says so where no relay is known for them', async () => {
    know([{ pubkey: 'X', relays: [] }]);
    expect(await errorOf(names)).to.include({ code: 'no_relay' });
    expect(searches).to.equal(0);
  });
});
