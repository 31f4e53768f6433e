import { expect } from 'chai';
import {
  GONE_AFTER_MS,
  IDLE_MS,
  KEEP_ALIVE_MS,
  Liveness,
  type Verdict,
} from '../../../src/protocol/direct/liveness.js';

/** What it says from one time to another, with a look each half second. */
function watch(
  liveness: Liveness,
  from: number,
  to: number,
  each: (now: number, verdict: Verdict | undefined) => void = () => undefined,
): { at: number; verdict: Verdict }[] {
  const said: { at: number; verdict: Verdict }[] = [];
  for (let now = from; now <= to; now += 500) {
    const verdict = liveness.check(now);
    if (verdict !== undefined) said.push({ at: now, verdict });
    each(now, verdict);
    if (verdict === 'gone' || verdict === 'idle') break;
  }
  return said;
}

describe('protocol/direct liveness', () => {
  it('asks nothing while something comes', () => {
    const liveness = new Liveness(0);
    const said = watch(liveness, 0, 60_000, (now) => {
      liveness.heard(now);
      liveness.used(true, now);
    });
    expect(said).to.deep.equal([]);
  });

  it('finds within eight seconds that a busy path is cut', () => {
    const liveness = new Liveness(0);
    liveness.used(true, 0);
    const said = watch(liveness, 0, 60_000, (now) => liveness.used(false, now));
    expect(said.at(-1)!.verdict).to.equal('gone');
    expect(said.at(-1)!.at).to.be.at.most(8_000);
    expect(said.filter(({ verdict }) => verdict === 'ask').length).to.be.below(15);
  });

  it('keeps the mapping of a NAT while a stream is open and quiet', () => {
    const liveness = new Liveness(0);
    const said = watch(liveness, 0, 300_000, (now, verdict) => {
      liveness.used(false, now);
      if (verdict === 'ask') liveness.heard(now);
    });
    // It was busy before that, for all anybody knows.
    const quiet = said.map(({ at }) => at).filter((at) => at > 30_000);
    const pauses = quiet.slice(1).map((at, index) => at - quiet[index]!);
    expect(Math.max(...pauses)).to.be.within(KEEP_ALIVE_MS, KEEP_ALIVE_MS + 500);
    expect(said.length).to.be.below(30);
  });

  it('goes when nobody has used it for long', () => {
    const liveness = new Liveness(0);
    const said = watch(liveness, 0, 2 * IDLE_MS, (now, verdict) => {
      if (verdict === 'ask') liveness.heard(now);
    });
    expect(said.at(-1)).to.deep.equal({ at: IDLE_MS, verdict: 'idle' });
  });

  it('asks at once where something may have cut it', () => {
    const liveness = new Liveness(0);
    liveness.heard(1_000);
    liveness.suspect(1_100);
    expect(liveness.check(1_100)).to.equal('ask');
    expect(liveness.check(1_100 + GONE_AFTER_MS)).to.equal('gone');
  });

  it('is content with any answer', () => {
    const liveness = new Liveness(0);
    liveness.suspect(0);
    expect(liveness.check(0)).to.equal('ask');
    liveness.heard(100);
    expect(watch(liveness, 500, 1_400)).to.deep.equal([]);
  });
});
