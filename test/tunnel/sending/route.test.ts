// Which relay is chosen, and which is left alone.

import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { pino } from 'pino';
import type { RelayLink } from '../../../src/relay/link.js';
import { RelayHealth } from '../../../src/tunnel/sending/relay-health.js';
import { Route } from '../../../src/tunnel/sending/route.js';

class FakeLink extends EventEmitter {
  isUp = true;
  canPublish = true;
  stallsAt: number | undefined;
  deafness: string | undefined;
  eventLimitBytes = 65_536;

  constructor(
    readonly url: string,
    readonly okLatencyMs?: number,
  ) {
    super();
  }
}

function links(...fakes: FakeLink[]): RelayLink[] {
  return fakes as unknown as RelayLink[];
}

describe('tunnel/route', () => {
  const slow = new FakeLink('ws://slow', 80);
  const quick = new FakeLink('ws://quick', 3);
  let lines: { msg: string; relay: string }[];
  let route: Route;

  beforeEach(() => {
    slow.isUp = quick.isUp = true;
    slow.stallsAt = quick.stallsAt = undefined;
    slow.deafness = quick.deafness = undefined;
    lines = [];
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    route = new Route(links(slow, quick), new RelayHealth(log));
  });

  it('takes the quickest, and stays with it while it works', () => {
    expect(route.pick(0)).to.equal(quick);
    quick.isUp = false;
    expect(route.pick(1)).to.equal(slow);
    quick.isUp = true;
    expect(route.pick(2)).to.equal(slow);
  });

  it('follows the peer to the relay on which it speaks', () => {
    route.pick(0);
    route.heard(links(slow)[0]!, true, 1);
    expect(route.pick(2)).to.equal(slow);
  });

  it('goes past one that takes no more and confirms nothing, unless all do', () => {
    route.pick(0);
    quick.stallsAt = 1_500;
    expect(route.pick(1_499)).to.equal(quick);
    expect(route.wakeAt(1_499)).to.equal(1_500);
    expect(route.pick(1_500)).to.equal(slow);
    slow.stallsAt = 1_500;
    expect(route.pick(1_501)).to.equal(slow);
    expect(route.wakeAt(1_501)).to.equal(undefined);
  });

  it('tries the next one when nothing comes back, and says when there is none', () => {
    route.pick(0);
    expect(route.tryNext(1)).to.equal(true);
    expect(route.pick(1)).to.equal(slow);
    quick.isUp = false;
    expect(route.tryNext(2)).to.equal(false);
  });

  it('leaves a relay that refuses alone for longer each time, with one line in the log', () => {
    const [only] = links(quick);
    route = new Route([only!], new RelayHealth(pino({ level: 'silent' })));
    const pauses: number[] = [];
    let now = 0;
    for (let round = 0; round < 5; round += 1) {
      for (let event = 0; event < 3; event += 1) route.refused(only!, 'blocked: no', 100, now);
      expect(route.pick(now)).to.equal(undefined);
      const until = route.wakeAt(now)!;
      pauses.push(until - now);
      now = until;
      expect(route.pick(now)).to.equal(only);
    }
    expect(pauses).to.deep.equal([250, 500, 1_000, 2_000, 4_000]);
  });

  it('logs once that a relay refuses, and once that it takes events again', () => {
    const [first] = links(quick);
    for (let event = 0; event < 50; event += 1) route.refused(first!, 'blocked: no', 100, event);
    route.accepted(first!, 100, 60_000);
    route.accepted(first!, 100, 60_001);
    expect(lines.map(({ relay }) => relay)).to.deep.equal(['ws://quick', 'ws://quick']);
  });

  it('keeps a relay for others where it only says that this peer is not there', () => {
    const health = new RelayHealth(pino({ level: 'silent' }));
    const [one, other] = [new Route(links(quick), health), new Route(links(quick), health)];
    one.refused(links(quick)[0]!, 'mute: no one was listening', 100, 0);
    expect(one.pick(0)).to.equal(undefined);
    expect(other.pick(0)).to.equal(quick);
  });

  it('takes smaller events where the relay finds them too large', () => {
    const [first] = links(quick);
    route.refused(first!, 'invalid: event too large', 40_000, 0);
    expect(route.eventLimitBytes(first!)).to.equal(30_000);
    expect(route.pick(0)).to.equal(first);
  });

  it('takes the bound that a refusal names', () => {
    const [first] = links(quick);
    route.refused(first!, 'event exceeded max size of 9000 bytes', 40_000, 0);
    expect(route.eventLimitBytes(first!)).to.equal(8_872);
    route.refused(first!, 'message too large (40106 > 8000)', 40_000, 0);
    expect(route.eventLimitBytes(first!)).to.equal(7_872);
    route.refused(first!, 'too large', 100, 0);
    expect(route.eventLimitBytes(first!)).to.equal(2_048);
  });

  it('takes smaller events where large ones alone get lost, and says so', () => {
    const [first] = links(quick);
    route.lost(first!, 60_000);
    route.arrived(first!, 1_000);
    for (let loss = 0; loss < 3; loss += 1) {
      expect(route.eventLimitBytes(first!)).to.equal(65_536);
      route.lost(first!, 60_000);
      route.lost(first!, 900);
    }
    expect(route.eventLimitBytes(first!)).to.equal(30_000);
    expect(lines.map(({ relay }) => relay)).to.deep.equal(['ws://quick']);
    route.arrived(first!, 30_000);
    for (let loss = 0; loss < 9; loss += 1) route.lost(first!, 30_000);
    expect(route.eventLimitBytes(first!)).to.equal(30_000);
  });

  it('prefers relays over which something arrives, for all peers alike', () => {
    const health = new RelayHealth();
    const both = links(slow, quick);
    const first = new Route(both, health);
    first.pick(0);
    first.tryNext(1);
    expect(new Route(both, health).pick(2)).to.equal(slow);
    first.arrived(both[1]!, 100);
    expect(new Route(both, health).pick(3)).to.equal(quick);
  });

  it('uses a relay on which we are deaf only where there is no other', () => {
    quick.deafness = 'error: too many concurrent REQs';
    expect(route.pick(0)).to.equal(slow);
    slow.isUp = false;
    expect(route.pick(1)).to.equal(quick);
  });
});
