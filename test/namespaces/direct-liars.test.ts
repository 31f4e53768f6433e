// STUN servers that lie, about addresses of others or in any other way, and what reaches those others.

import { expect } from 'chai';
import { MOST_QUESTIONS, Scene, STUN, twoHomes } from './direct-support.js';
import { type Network, skipWithoutNat } from './network.js';

const LIARS_AT = '8.8.6.1';

describe('direct paths and STUN servers that lie', function () {
  this.timeout(120_000);
  let scene: Scene;

  before(function () {
    skipWithoutNat(this);
  });
  afterEach(() => scene?.close());

  /** The exit's servers have these habits; the entry asks the same ones. */
  async function startWith(habits: readonly string[], ...honest: string[]): Promise<void> {
    scene = await Scene.start(withVictim);
    for (const host of ['entry', 'exit', 'victim']) scene.countUdp(host);
    const servers = habits.map((habit, index) => `${index + 1_000}=${habit}`);
    const program = 'test/namespaces/liar.ts';
    await scene.network.program('world', scene.folder, program, LIARS_AT, ...servers).ready();
    const all = [...habits.map((_, index) => `${LIARS_AT}:${index + 1_000}`), ...honest];
    await scene.startExit('--direct', ...all.flatMap((server) => ['--stun', server]));
    await scene.startProxy('--direct');
  }

  it('leave alone what is private or not there for one alone, and send a victim a handful', async () => {
    const inside = ['says:10.1.0.1:7000', 'says:224.0.0.251:5353'];
    await startWith([...inside, 'says:8.8.7.2:53', 'says:8.8.5.2:99']);
    await scene.givenUp();
    expect(scene.udpOf('victim', 'received')).to.be.within(1, 2 * MOST_QUESTIONS);
    for (const home of ['entry', 'exit']) {
      expect(scene.udpOf(home, 'inside')).to.equal(0);
      // Four questions of STUN, thrice at most, and two candidates.
      expect(scene.udpOf(home, 'sent')).to.be.within(1, 4 * 3 + 2 * MOST_QUESTIONS);
    }
  });

  it('take one answer of a server that has another one each time', async () => {
    await startWith(['changes:8.8.7.2:2000']);
    expect(await scene.givenUp()).to.match(/no probe came through/);
    expect(scene.udpOf('victim', 'received')).to.be.within(1, 2 * MOST_QUESTIONS);
  });

  it('take no answer that is not one: wrong transaction, garbage, from elsewhere, none', async () => {
    await startWith(['wrong-id', 'garbage', 'elsewhere', 'silent']);
    expect(await scene.givenUp()).to.match(/no STUN server answers/);
    expect(scene.udpOf('victim', 'received')).to.equal(0);
    for (const home of ['entry', 'exit']) expect(scene.udpOf(home, 'sent')).to.equal(4 * 3);
  });

  it('stand all the same where one server is honest', async () => {
    await startWith(['says:8.8.7.2:53'], STUN);
    expect(await scene.waysOf(1)).to.deep.equal(['relay']);
    expect(await scene.settled()).to.equal(undefined);
    expect(await scene.waysOf(1)).to.deep.equal(['direct']);
    await scene.quiet();
    expect(scene.udpOf('victim', 'received')).to.be.at.most(2 * MOST_QUESTIONS);
  });
});

/** Two homes, and somebody who has nothing to do with either. */
function withVictim(network: Network): void {
  twoHomes(network);
  network.add('victim');
  network.link('world', '8.8.7.1/24', 'victim', '8.8.7.2/24');
}
