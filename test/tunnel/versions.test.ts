// Sides of this release and of the one before it, in every pairing: bytes get through, and frames go to nobody who
// doesn't read them.

import { once } from 'node:events';
import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import type { NwsError } from '../../src/errors.js';
import { certificateEvent, KIND, tagValue } from '../../src/protocol/wire/events.js';
import { isFrame } from '../../src/protocol/wire/frame-reader.js';
import { readAll } from '../support/read-all.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { Tunnel } from './tunnel.js';

const UP = Buffer.alloc(150_000, 'up');

onEmbeddedRelay(() => {
  describe('session, between versions', function () {
    this.timeout(30_000);
    let tunnel: Tunnel;
    afterEach(() => tunnel.close());

    /** Whether each event between both sides was a frame so far, in the order of the relay. */
    function watch(): boolean[] {
      const frames: boolean[] = [];
      tunnel.relay.on('event', (event: NostrEvent) => {
        if (event.kind !== KIND.message) return;
        const { signer } = tunnel;
        const peer = event.pubkey === signer.pubkey ? tagValue(event, 'p')! : event.pubkey;
        frames.push(isFrame(signer.decrypt(peer, event.content).plaintext));
      });
      return frames;
    }

    /** @param version what the exit has published that it speaks */
    async function echo(version?: number): Promise<void> {
      const published = version === undefined ? {} : { reliable: true, version };
      const stream = await tunnel.open(published);
      const received = readAll(stream);
      stream.end(UP);
      expect((await received).equals(UP)).to.equal(true);
    }

    it('writes frames from the first event on where the exit has published that it reads them', async () => {
      tunnel = await Tunnel.start();
      const frames = watch();
      await echo(2);
      expect(frames).to.have.length.above(3);
      expect(frames).not.to.include(false);
    });

    it('asks an exit of which nothing is known in JSON, and both go on in frames', async () => {
      tunnel = await Tunnel.start();
      const frames = watch();
      await echo();
      expect(frames[0]).to.equal(false);
      expect(frames.slice(1)).not.to.include(false);
    });

    for (const [entry, exit] of [
      [1, 2],
      [2, 1],
    ] as const) {
      it(`writes JSON alone between an entry of version ${entry} and an exit of version ${exit}`, async () => {
        tunnel = await Tunnel.start({}, { entry, exit });
        const frames = watch();
        await echo();
        await echo(exit);
        expect(frames).to.have.length.above(3);
        expect(frames).not.to.include(true);
      });
    }

    it('finds its way to an exit that is older than what it has published', async () => {
      tunnel = await Tunnel.start({}, { exit: 1 });
      const frames = watch();
      await echo(2);
      expect(frames[0]).to.equal(true);
      expect(frames.at(-1)).to.equal(false);
      frames.length = 0;
      await echo(2);
      expect(frames).not.to.include(true);
    });

    it('writes JSON again to an exit that comes back as one of the release before', async () => {
      tunnel = await Tunnel.start();
      const idle = await tunnel.open({ reliable: true, version: 2 });
      const failure = once(idle, 'error') as Promise<[NwsError]>;
      await tunnel.exit.pool.close();
      await tunnel.exit.session.close(0);
      await tunnel.startExit(1);
      const { signer, url } = tunnel;
      const now = Math.floor(Date.now() / 1_000);
      const event = certificateEvent('', signer.pubkey, '', now);
      const tags = event.tags.map((tag) => (tag[0] === 'nws' ? ['nws', '1'] : tag));
      tunnel.exit.pool.acquire(url).publish(signer.sign({ ...event, tags }));
      expect((await failure)[0].code).to.equal('connection_terminated');
      const frames = watch();
      await echo();
      expect(frames).not.to.include(true);
    });
  });
});
