// Streams over relays with habits: what the peer acknowledges counts, whatever the relay says or leaves unsaid.

import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { RelayBehaviour } from '../../src/relay/embedded/behaviour.js';
import { readAll } from '../support/read-all.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { Tunnel } from './tunnel.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

onEmbeddedRelay(() => {
  describe('session, over a relay with habits', function () {
    this.timeout(30_000);
    let tunnel: Tunnel;

    async function start(behaviour: Partial<RelayBehaviour>): Promise<void> {
      tunnel = await Tunnel.start({ behaviour: { muteUnheard: false, ...behaviour } });
    }

    /** There and back again. */
    async function echo(size: number): Promise<void> {
      const bytes = randomBytes(size);
      const stream = await tunnel.open();
      const received = readAll(stream);
      stream.end(bytes);
      expect(sha256(await received)).to.equal(sha256(bytes));
    }

    afterEach(() => tunnel.close());

    it('carries 20 MB each way where no ephemeral event is confirmed, and names that habit', async () => {
      await start({ silent: 'ephemerals', deliveryDelayMs: 20 });
      await echo(20_000_000);
      const [line, ...more] = tunnel.lines.filter(({ relay }) => relay === tunnel.url);
      expect(line).to.include({ level: 30, habit: 'delivers, never confirms' });
      // One line of each side, and none that says that the relay refuses anything.
      expect(more.map(({ habit }) => habit)).to.deep.equal(['delivers, never confirms']);
    });

    it('carries 20 MB each way where each tenth OK is missing, without a word', async () => {
      await start({ missEveryOk: 10, deliveryDelayMs: 20 });
      await echo(20_000_000);
      expect(tunnel.lines.filter(({ relay }) => relay === tunnel.url)).to.deep.equal([]);
    });

    it('stays with a relay that confirms nothing while nothing is to be said', async () => {
      await start({ silent: 'ephemerals' });
      const links = [...tunnel.entry.pool.links(), ...tunnel.exit.pool.links()];
      let downs = 0;
      for (const link of links) link.on('down', () => (downs += 1));
      for (let round = 0; round < 3; round += 1) {
        await echo(10_000);
        await until(() => tunnel.streams === 0);
      }
      expect(downs).to.equal(0);
    });
  });
});
