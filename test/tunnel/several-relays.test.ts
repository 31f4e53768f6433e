// One transfer over several relays of which each passes little: where its events go, counted at the relays.

import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import type { RelayBehaviour } from '../../src/relay/embedded/behaviour.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import { readAll } from '../support/read-all.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { entrySide, exitSide, type Side } from './tunnel.js';

const MB = 1_000_000;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

onEmbeddedRelay(() => {
  describe('one transfer over several relays', function () {
    this.timeout(60_000);
    const signer = createSigner(generateSecretKey());
    let relays: MemoryRelay[];
    let sides: Side[];
    /** Bytes of the exit's events, and how many there were, by relay. */
    let sent: { bytes: number; events: number }[];
    let serve: (stream: Duplex) => void;

    /** @param onEvent called with the index of the relay that took an event of the exit, and its count there */
    async function start(
      behaviours: readonly Partial<RelayBehaviour>[],
      onEvent: (relay: number, count: number) => void = () => undefined,
    ): Promise<void> {
      relays = await Promise.all(behaviours.map((behaviour) => MemoryRelay.start({ behaviour })));
      sent = relays.map(() => ({ bytes: 0, events: 0 }));
      for (const [index, relay] of relays.entries()) {
        relay.on('event', ({ pubkey, content }) => {
          if (pubkey !== signer.pubkey) return;
          sent[index]!.bytes += content.length;
          sent[index]!.events += 1;
          onEvent(index, sent[index]!.events);
        });
      }
      const urls = relays.map(({ url }) => url);
      const exit = await exitSide(signer, urls, (asked) => {
        const stream = asked.accept();
        stream.on('error', () => undefined);
        serve(stream);
      });
      sides = [entrySide(), exit];
    }

    async function open(): Promise<Duplex> {
      const urls = relays.map(({ url }) => url);
      const asked = { peer: signer.pubkey, relays: urls, destination: 'x.nostr:443' };
      const { stream } = await sides[0]!.session.open(asked);
      return stream.on('error', () => undefined);
    }

    /** What the exit sends arrives whole. */
    async function download(size: number): Promise<void> {
      const bytes = randomBytes(size);
      serve = (stream) => stream.end(bytes);
      const stream = await open();
      stream.end();
      expect(sha256(await readAll(stream))).to.equal(sha256(bytes));
    }

    afterEach(async () => {
      await Promise.all(sides.map((side) => side.close()));
      await Promise.all(relays.map((relay) => relay.close()));
    });

    it('uses all of them for a download, and sends next to nothing twice', async () => {
      const slow = { bytesPerSecond: 3 * MB };
      await start([slow, slow]);
      await download(8 * MB);
      const [first, second] = sent.map(({ bytes }) => bytes);
      // A third at the least goes by the one that has less, after a megabyte that went by the first alone.
      expect(Math.min(first!, second!)).to.be.above((first! + second!) / 4);
      // Base64 of NIP-44, and some acknowledgements.
      expect(first! + second!).to.be.below(8 * MB * (4 / 3) * 1.15);
    });

    it('uses all of them for an upload', async () => {
      const slow = { bytesPerSecond: 3 * MB };
      await start([slow, slow]);
      const taken = [0, 0];
      for (const [index, relay] of relays.entries()) {
        relay.on('event', ({ pubkey, content }) => {
          if (pubkey !== signer.pubkey) taken[index]! += content.length;
        });
      }
      const bytes = randomBytes(8 * MB);
      serve = (stream) => {
        void readAll(stream).then((got) => stream.end(sha256(got)));
      };
      const stream = await open();
      const answer = readAll(stream);
      stream.end(bytes);
      expect(String(await answer)).to.equal(sha256(bytes));
      expect(Math.min(...taken)).to.be.above((taken[0]! + taken[1]!) / 4);
    });

    it('goes on without loss when one of them dies in mid-transfer', async () => {
      const slow = { bytesPerSecond: 3 * MB };
      let died: Promise<void> | undefined;
      await start([slow, slow], (index, count) => {
        if (count === 40 && died === undefined) died = relays[index]!.close();
      });
      await download(8 * MB);
      expect(died).to.not.equal(undefined);
      await died;
    });

    it('keeps to the ration of one that refuses what is beyond, and uses the other as well', async () => {
      const rationed = { eventsPerSecond: 20, overRate: 'refused' } as const;
      await start([rationed, { bytesPerSecond: 2 * MB }]);
      await download(5 * MB);
      const [first, second] = sent.map(({ events }) => events);
      expect(Math.min(first!, second!)).to.be.above(10);
      // Refused is what was on its way when the ration showed, and an event now and then.
      expect(relays[0]!.stats.refused).to.be.below(60);
    });

    it('leaves a small exchange on one of them', async () => {
      await start([{}, {}]);
      await download(100_000);
      expect(Math.min(...sent.map(({ events }) => events))).to.equal(0);
    });
  });
});
