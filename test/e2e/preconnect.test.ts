// A connection in advance, the whole way: what clients see of it, what it costs, and what it leaves.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { readAll } from '../support/read-all.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { Site } from './support/site.js';
import { World } from './support/world.js';

/** Longer than anything takes on the way that isn't the relay's doing. */
const DELAY_MS = 150;

describe('a proxy that connects in advance', function () {
  this.timeout(60_000);
  let site: Site;
  let world: World;
  beforeEach(async () => {
    site = await Site.start();
  });
  afterEach(async () => {
    await world.close();
    await site.close();
  });

  async function start(preconnect = true): Promise<void> {
    world = await World.start({ target: site.url, proxy: { preconnect } });
  }

  /** The clients' own streams have ended, the one in advance waits on both sides. */
  const waits = (): Promise<void> =>
    until(() => world.proxy.streams === 1 && world.exit.streams === 1);

  for (const version of ['--http1.1', '--http2']) {
    it(`has a stream ready for each client of ${version.slice(2)}`, async () => {
      await start();
      for (let round = 0; round < 4; round += 1) {
        const { stdout } = await world.curl(version, world.https(`/${round}`));
        expect(stdout).to.equal(`GET /${round}\n`);
        await waits();
      }
      expect(world.proxy.sums.opened).to.be.at.most(6);
      await world.proxy.close();
      await until(() => world.exit.streams === 0);
    });
  }

  onEmbeddedRelay(() => {
    /** Resolves when the relay has nothing left to deliver, and nothing new comes. */
    async function quiet(): Promise<void> {
      let last = performance.now();
      const heard = (): void => {
        last = performance.now();
      };
      world.relay.on('event', heard);
      await until(() => performance.now() - last > 3 * DELAY_MS);
      world.relay.off('event', heard);
    }

    /** How often the exit has had the word after the entry until there was something for the client. */
    async function roundTrips(firstByte: () => Promise<unknown>): Promise<number> {
      await quiet();
      let trips = 0;
      let isExits = true;
      const count = ({ pubkey }: { readonly pubkey: string }): void => {
        const was = isExits;
        isExits = pubkey === world.exit.pubkey;
        if (isExits && !was) trips += 1;
      };
      world.relay.on('event', count);
      await firstByte();
      world.relay.off('event', count);
      return trips;
    }

    async function byCurl(): Promise<unknown> {
      const child = world.startCurl(world.https('/'));
      const gone = once(child, 'close');
      const [first] = await once(child.stdout, 'data');
      await gone;
      return first;
    }

    async function inAbsoluteForm(): Promise<unknown> {
      const { hostname: host, port } = new URL(world.proxy.url);
      const headers = { Host: world.exit.domain, Connection: 'close' };
      const outgoing = request({ host, port, path: world.https('/'), headers }).end();
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
      expect((await readAll(answer)).toString()).to.equal('GET /\n');
      return answer;
    }

    for (const [preconnect, trips] of [
      [true, 1],
      [false, 2],
    ] as const) {
      it(`${preconnect ? 'has' : 'would have'} the first byte in ${trips} of the relay's round trips`, async () => {
        await start(preconnect);
        world.relay.behaviour.deliveryDelayMs = DELAY_MS;
        await byCurl();
        for (let round = 0; round < 2; round += 1) {
          expect(await roundTrips(byCurl)).to.equal(trips);
        }
        expect(await roundTrips(inAbsoluteForm)).to.equal(trips);
      });
    }

    it('costs nothing while it waits but the question whether the other side is there', async () => {
      await start();
      await world.curl(world.https('/'));
      await waits();
      await pause(1_000); // what is to be acknowledged is
      let events = 0;
      world.relay.on('event', () => {
        events += 1;
      });
      await pause(3_000);
      expect(events).to.be.at.most(4); // each asks once, and is answered
    });

    for (const method of ['GET', 'POST']) {
      it(`has a ${method} answered when the exit was started anew without a word`, async () => {
        await start();
        world.relay.behaviour.deliveryDelayMs = 100;
        await world.curl(world.https('/'));
        await waits();
        const { pubkey } = world.signer;
        let isGone = true;
        world.relay.behaviour.refuse = ({ pubkey: from }) =>
          isGone && from === pubkey ? 'blocked: gone' : undefined;
        await world.exit.close(0);
        isGone = false;
        world.relay.behaviour.refuse = undefined;
        world.exit = await world.startExit(site.url);
        const { stdout } = await world.curl('-X', method, world.https('/'));
        expect(stdout).to.equal(`${method} /\n`);
      });
    }
  });

  it('serves clients as ever when the exit was started anew', async () => {
    await start();
    await world.curl(world.https('/'));
    await waits();
    await world.exit.close(0);
    world.exit = await world.startExit(site.url);
    expect((await world.curl(world.https('/'))).stdout).to.equal('GET /\n');
  });
});
