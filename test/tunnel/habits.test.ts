// Streams over relays with habits: what the peer acknowledges counts, whatever the relay says or leaves unsaid.

import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import type { NwsError } from '../../src/errors.js';
import type { RelayBehaviour } from '../../src/relay/embedded/behaviour.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import type { IncomingStream } from '../../src/tunnel/session.js';
import { errorOf } from '../support/expect-error.js';
import { readAll } from '../support/read-all.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { exitSide, Tunnel } from './tunnel.js';

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

    /** The error of a stream that can't be opened. */
    async function refusal(behaviour: Partial<RelayBehaviour>): Promise<NwsError> {
      await start({});
      Object.assign(tunnel.relay.behaviour, behaviour);
      return errorOf(() => tunnel.open({ reliable: true }));
    }

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

    const REASONS = [
      'rate-limited: slow down',
      'restricted: members only',
      'error: kind not allowed',
      'invalid: created_at too far in the past',
    ];
    for (const reason of REASONS) {
      it(`hands on why a relay refuses: ${reason}`, async () => {
        const error = await refusal({ refuse: reason });
        expect(error.code).to.equal('relay_refused');
        expect(error.message).to.include(`the relay ${tunnel.url} refuses our events: ${reason}`);
        expect(error.hint).to.be.a('string');
      });
    }

    it('hands on what a relay says by NOTICE alone', async () => {
      const error = await refusal({ refuse: 'restricted: members only', refusals: 'notice' });
      expect(error.message).to.match(/refuses our events: restricted: members only$/);
    });

    for (const [clockAheadS, words] of [
      [3_600, "3600 s behind the relay's"],
      [-3_600, "3600 s ahead of the relay's"],
    ] as const) {
      it(`says by how much our clock is off: ${words}`, async () => {
        const error = await refusal({ clockAheadS });
        expect(error.code).to.equal('relay_refused');
        expect(error.message).to.match(/invalid: (ephemeral event expired|created_at too late)/);
        const seconds = Number(/clock is (\d+) s/.exec(error.message)?.[1]);
        expect(seconds).to.be.within(3_590, 3_610);
        expect(error.message).to.include(words.replace(/^\d+ s /, ''));
        expect(error.hint).to.match(/clock/);
      });
    }

    it('says that the relay ends our subscription', async () => {
      await start({});
      const links = tunnel.exit.pool.links();
      tunnel.relay.behaviour.maxSubscriptions = 0;
      const error = await errorOf(() => tunnel.open({ reliable: true }));
      expect(error.message).to.equal(
        `the relay ${tunnel.url} ends our subscription: error: too many concurrent REQs`,
      );
      expect(links.every(({ deafness }) => deafness === undefined)).to.equal(true);
    });

    it('uses another relay while one serves no subscription', async () => {
      await start({});
      const other = await MemoryRelay.start();
      const { pool, session } = tunnel.exit;
      await session.close();
      await pool.close();
      const relays = [tunnel.url, other.url];
      tunnel.relay.behaviour.maxSubscriptions = 0;
      tunnel.exit = await exitSide(tunnel.signer, relays, (asked) => tunnel.onIncoming(asked));
      const stream = await tunnel.open({ relays });
      const received = readAll(stream);
      stream.end('there and back again');
      expect(String(await received)).to.equal('there and back again');
      expect(other.stats.events).to.be.above(tunnel.relay.stats.events);
      await other.close();
    });

    it('uses two exits over a relay that delivers to authenticated receivers alone', async () => {
      const asks = { authRequired: true, receiversOnly: true } as const;
      await start({ ...asks, authChallenge: 'behind refusals' });
      const other = createSigner(generateSecretKey());
      const served = (asked: IncomingStream): unknown => asked.accept().end('the other one');
      const side = await exitSide(other, [tunnel.url], served);
      await echo(100_000);
      const stream = await tunnel.open({ peer: other.pubkey });
      stream.end();
      expect(String(await readAll(stream))).to.equal('the other one');
      await echo(100_000);
      await side.close();
    });

    it('makes events smaller where a NOTICE says that they are too large', async () => {
      const tooLargeText = 'event exceeded max size';
      await start({ refusals: 'notice', tooLargeText, silent: 'ephemerals' });
      await echo(1_000);
      tunnel.relay.behaviour.maxEventBytes = 20_000;
      await echo(1_000_000);
      expect(tunnel.lines.filter(({ level }) => Number(level) > 30)).to.deep.equal([]);
    });
  });
});
