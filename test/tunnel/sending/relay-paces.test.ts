// How the pace of a relay that rations is found and kept.

import { expect } from 'chai';
import { pino } from 'pino';
import type { RelayLink } from '../../../src/relay/link.js';
import { RelayPaces } from '../../../src/tunnel/sending/relay-paces.js';

const link = { url: 'ws://rationed' } as RelayLink;

describe('tunnel/relay-paces', () => {
  let paces: RelayPaces;
  let lines: { msg: string; level: number }[];

  beforeEach(() => {
    lines = [];
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    paces = new RelayPaces(log);
  });

  /** Sends as much as may be sent to a relay that takes so many a second, for a while. @returns taken, refused */
  function send(perSecond: number, fromMs: number, toMs: number): [number, number] {
    let [taken, refused, freeAt] = [0, 0, fromMs];
    for (let now = fromMs; now < toMs; now += 1) {
      if (paces.until(link, now) !== undefined) continue;
      paces.sent(link, now);
      if (freeAt <= now) {
        taken += 1;
        freeAt = Math.max(freeAt, now - 500) + 1_000 / perSecond;
        paces.accepted(link, now);
      } else {
        refused += 1;
        paces.refused(link, now, now);
      }
    }
    return [taken, refused];
  }

  it('rations nothing before a relay refuses', () => {
    for (let now = 0; now < 100; now += 1) {
      paces.sent(link, now);
      paces.accepted(link, now);
      expect(paces.until(link, now)).to.equal(undefined);
    }
    expect(paces.perSecond(link)).to.equal(Number.POSITIVE_INFINITY);
    expect(lines).to.deep.equal([]);
  });

  for (const perSecond of [2, 20, 200]) {
    it(`finds ${perSecond} events a second, and keeps near to that with few refusals`, () => {
      send(perSecond, 0, 20_000);
      const [taken, refused] = send(perSecond, 20_000, 80_000);
      expect(taken).to.be.within(0.75 * 60 * perSecond, 1.05 * 60 * perSecond);
      expect(refused).to.be.below(30);
      expect(lines.map(({ level }) => level)).to.deep.equal([40]);
    });
  }

  it('follows a ration that becomes smaller or larger', () => {
    send(100, 0, 10_000);
    send(10, 10_000, 30_000);
    expect(paces.perSecond(link)).to.be.within(5, 13);
    send(100, 30_000, 200_000);
    expect(paces.perSecond(link)).to.be.above(70);
  });

  it('counts refusals of what was on its way together once', () => {
    for (let now = 0; now < 100; now += 1) paces.accepted(link, now);
    paces.refused(link, 50, 200);
    const after = paces.perSecond(link);
    for (let now = 201; now < 300; now += 1) paces.refused(link, 60, now);
    expect(paces.perSecond(link)).to.equal(after);
    paces.refused(link, 300, 301);
    expect(paces.perSecond(link)).to.be.below(after);
  });

  it('leaves one that takes nothing alone for longer each time, up to a minute', () => {
    const pauses: number[] = [];
    for (let now = 0, round = 0; round < 12; round += 1) {
      paces.refused(link, now, now);
      const until = paces.until(link, now)!;
      pauses.push(until - now);
      now = until;
    }
    expect(pauses.slice(0, 4)).to.deep.equal([250, 500, 1_000, 2_000]);
    expect(pauses.at(-1)).to.equal(60_000);
  });

  it('is free again where nothing is refused any more, and says so', () => {
    send(20, 0, 5_000);
    send(1e6, 5_000, 900_000);
    expect(paces.perSecond(link)).to.equal(Number.POSITIVE_INFINITY);
    expect(lines.map(({ level }) => level)).to.deep.equal([40, 30]);
  });
});
