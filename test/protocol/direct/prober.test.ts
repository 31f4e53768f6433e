import { expect } from 'chai';
import type { Endpoint } from '../../../src/protocol/direct/endpoint.js';
import {
  MAX_CANDIDATES,
  MAX_PROBING_MS,
  PROBING_MS,
  Prober,
} from '../../../src/protocol/direct/prober.js';
import { Host, type HostOptions, run } from './nat.js';

const at = (port: number): Endpoint => ({ address: '8.8.8.8', port });
const MOST_QUESTIONS = 11;

function pair(entry: Partial<HostOptions>, exit: Partial<HostOptions>): [Host, Host] {
  return [
    new Host('entry', { address: '8.8.4.2', ...entry }),
    new Host('exit', { address: '8.8.5.2', ...exit }),
  ];
}

function introduce([entry, exit]: [Host, Host]): void {
  entry.prober.add(exit.outside, 0);
  exit.prober.add(entry.outside, 0);
}

describe('protocol/prober', () => {
  it('finds a path through two NATs that pass answers alone', () => {
    const hosts = pair({}, {});
    introduce(hosts);
    expect(run(hosts)).to.be.below(1_000);
    expect(hosts[0].prober.result).to.deep.equal(hosts[1].outside);
    expect(hosts[1].prober.result).to.deep.equal(hosts[0].outside);
    expect(hosts[0].prober.rttMs).to.be.within(50, 60);
  });

  it('finds the way to an open exit of an entry that nobody named', () => {
    const hosts = pair({ isSymmetric: true }, { isOpen: true });
    hosts[0].prober.add(hosts[1].outside, 0);
    expect(run(hosts)).to.be.below(1_000);
    expect(hosts[1].prober.result).to.deep.equal({ address: '8.8.4.2', port: 6_000 });
  });

  it('finds nothing between two symmetric NATs, and stops', () => {
    const hosts = pair({ isSymmetric: true }, { isSymmetric: true });
    introduce(hosts);
    expect(run(hosts)).to.equal(PROBING_MS);
    expect(hosts.map(({ prober }) => prober.result)).to.deep.equal([undefined, undefined]);
    for (const { sent } of hosts) expect(sent).to.have.length(MOST_QUESTIONS);
  });

  it('uses no pair that is heard one way alone', () => {
    const hosts = pair({ isOpen: true }, { isOpen: true, isDeaf: true });
    introduce(hosts);
    run(hosts);
    expect(hosts[0].prober.result).to.equal(undefined);
    expect(hosts[1].prober.result).to.equal(undefined);
  });

  it('takes IPv6 where both work, also where it answers a little later', () => {
    const prober = new Prober({ side: 'entry', now: 0 });
    const six = { address: '2a00::1', port: 7 };
    prober.add(at(7), 0);
    prober.add(six, 0);
    const asked = [prober.pull(0)!, prober.pull(20)!];
    const answer = (index: number, now: number): void => {
      const { number, to } = asked[index]!;
      prober.receive({ kind: 'answer', number, side: 'exit', stream: 1 }, to, now, () => false);
    };
    answer(asked[0]!.to.port === 7 && asked[0]!.to.address === '8.8.8.8' ? 0 : 1, 40);
    answer(asked[0]!.to.address === six.address ? 0 : 1, 120);
    const next = prober.pull(121);
    expect(next).to.deep.include({ kind: 'use', to: six });
  });

  it('asks no more than eight of a thousand candidates, a dozen times each at most', () => {
    const prober = new Prober({ side: 'exit', now: 0 });
    const taken = Array.from({ length: 1_000 }, (_, index) => prober.add(at(index + 1), 0));
    expect(taken.filter(Boolean)).to.have.length(MAX_CANDIDATES);
    let sent = 0;
    for (let now = 0; now < 60_000; now += 5) if (prober.pull(now) !== undefined) sent += 1;
    expect(sent).to.equal(MAX_CANDIDATES * MOST_QUESTIONS);
  });

  it('is over in time, however late candidates are named', () => {
    const prober = new Prober({ side: 'exit', now: 0 });
    for (let index = 0; index < MAX_CANDIDATES; index += 1)
      prober.add(at(index + 1), index * 2_000);
    expect(prober.isOver(MAX_PROBING_MS - 1)).to.equal(false);
    expect(prober.isOver(MAX_PROBING_MS)).to.equal(true);
    expect(prober.pull(MAX_PROBING_MS)).to.equal(undefined);
  });

  it('answers a question once, however often it is repeated', () => {
    const prober = new Prober({ side: 'exit', now: 0 });
    const ask = { kind: 'ask', side: 'entry', number: 5, stream: 1 } as const;
    for (let count = 0; count < 100; count += 1) prober.receive(ask, at(9), 0, () => true);
    let answers = 0;
    for (let now = 0; now < PROBING_MS; now += 5) {
      if (prober.pull(now)?.kind === 'answer') answers += 1;
    }
    expect(answers).to.equal(1);
  });

  it('neither answers nor asks an address that may not be asked, nor more than four that nobody named', () => {
    const prober = new Prober({ side: 'exit', now: 0 });
    const ask = (number: number, port: number, may: boolean): void =>
      prober.receive({ kind: 'ask', side: 'entry', number, stream: 1 }, at(port), 0, () => may);
    ask(1, 1, false);
    expect(prober.pull(0)).to.equal(undefined);
    for (let number = 2; number < 12; number += 1) ask(number, number, true);
    const ports = new Set<number>();
    for (let now = 0; now < PROBING_MS; now += 5) {
      const out = prober.pull(now);
      if (out !== undefined) ports.add(out.to.port);
    }
    expect(ports.size).to.equal(4);
  });

  it('takes no echo of its own for an answer, and no answer from elsewhere', () => {
    const prober = new Prober({ side: 'entry', now: 0 });
    prober.add(at(9), 0);
    const { number } = prober.pull(0)!;
    prober.receive({ kind: 'answer', side: 'entry', number, stream: 1 }, at(9), 1, () => true);
    prober.receive({ kind: 'answer', side: 'exit', number, stream: 1 }, at(8), 1, () => true);
    prober.receive(
      { kind: 'answer', side: 'exit', number: number + 9, stream: 1 },
      at(9),
      1,
      () => true,
    );
    for (let now = 2; now < PROBING_MS; now += 5) {
      expect(prober.pull(now)?.kind ?? 'ask').to.equal('ask');
    }
  });

  it('keeps an exit to the pair that the entry chose first', () => {
    const prober = new Prober({ side: 'exit', now: 0 });
    const use = (number: number, port: number): void =>
      prober.receive({ kind: 'use', side: 'entry', number, stream: 1 }, at(port), 0, () => true);
    use(1, 7);
    use(2, 8);
    expect(prober.result).to.deep.equal(at(7));
  });
});
