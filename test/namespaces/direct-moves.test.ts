// A direct path whose ends move: another address on one side, its machine's own or its home's. What was on it ends with
// an error, relays serve at once, and another path is found.

import { expect } from 'chai';
import { until } from '../support/until.js';
import { Scene, STUN, twoHomes } from './direct-support.js';
import { type Network, skipWithoutNat } from './network.js';

const DOWNLOAD_BYTES = 2_000_000_000;

describe('a direct path whose ends move', function () {
  this.timeout(120_000);
  let scene: Scene;

  before(function () {
    skipWithoutNat(this);
  });
  afterEach(() => scene?.close());

  for (const [what, move] of [
    ['the machine of the entry', moveMachine],
    ['the home of the exit', moveHome],
  ] as const satisfies [string, (network: Network) => void][]) {
    it(`ends with an error, and is made anew, where ${what} gets another address`, async () => {
      scene = await Scene.start(twoHomes);
      await scene.startExit('--direct', '--stun', STUN);
      await scene.startProxy('--direct');
      expect(await scene.waysOf(1)).to.deep.equal(['relay']);
      expect(await scene.settled()).to.equal(undefined);
      const download = scene.download(DOWNLOAD_BYTES);
      await scene.busy();
      const movedAt = performance.now();
      move(scene.network);
      const { status, isRight, endedAt } = await download;
      console.log(`    an error after ${seconds(movedAt, endedAt)} s`);
      expect(status).to.not.equal(0);
      expect(isRight).to.equal(false);
      expect(scene.fetch()).to.equal('from behind\n');
      console.log(`    served after ${seconds(endedAt)} s`);
      await until(() => scene.ways.length === 3);
      expect(scene.ways.slice(1)).to.deep.equal(['direct', 'relay']);
      // Requests have it looked for.
      await until(async () => (await scene.waysOf(1))[0] === 'direct');
      expect(scene.proxy!.logged('a direct path stands')).to.have.length(2);
      console.log(`    another path after ${seconds(endedAt)} s`);
    });
  }
});

function seconds(from: number, to = performance.now()): string {
  return ((to - from) / 1_000).toFixed(1);
}

/** The entry's machine joins its network anew, and gets another address. */
function moveMachine(network: Network): void {
  network.readdress('entry', 'entry-home', '10.1.0.9/24', '10.1.0.1');
}

/** The exit's router dials in again; the mappings of its NAT go with its address. */
function moveHome(network: Network): void {
  network.readdress('exit-home', 'world', '8.8.5.9/24', '8.8.5.1');
}
