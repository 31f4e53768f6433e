// What strangers send: events that are random, forged, unreadable or far too large, by a relay that passes on
// everything, and garbage to the proxy's port. It is left out and counted, and what is open meanwhile goes on.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { createSigner, generateSecretKey } from '../../src/index.js';
import { messageEvent } from '../../src/protocol/wire/events.js';
import { until } from '../support/until.js';
import { entrySide, exitSide, type Side } from '../tunnel/tunnel.js';
import { digest, generated } from './support/bytes.js';
import { CarelessRelay } from './support/careless-relay.js';
import { nowS } from './support/rogue-exit.js';
import { Site } from './support/site.js';
import { World } from './support/world.js';

const stranger = createSigner(generateSecretKey());

/** An event for `peer` that is right but for what it says. */
function message(peer: string, plaintext: string, createdAt = nowS()): NostrEvent {
  return stranger.sign(messageEvent(peer, stranger.encrypt(peer, plaintext), createdAt));
}

const REASONS = ['badEvent', 'foreign', 'undecryptable', 'skewed', 'badMessage'] as const;

/** Events for `peer` that are wrong, by the reason for which they are to be counted. */
function wrongEvents(peer: string): Record<(typeof REASONS)[number], NostrEvent[]> {
  const good = message(peer, JSON.stringify({ key: 'x', type: 'PING' }));
  const sealed = (content: string): NostrEvent =>
    stranger.sign(messageEvent(peer, content, nowS()));
  const elsewhere = createSigner(generateSecretKey()).pubkey;
  return {
    badEvent: [
      { ...good, sig: '0'.repeat(128) },
      { ...good, id: '1'.repeat(64) },
      { ...good, content: `${good.content}A` },
      { ...good, pubkey: elsewhere },
      { ...good, kind: 1 },
      { ...good, created_at: -1 },
    ],
    foreign: [message(elsewhere, '{}')],
    undecryptable: [
      sealed(''),
      sealed('not base64 ☃'),
      sealed(randomBytes(500).toString('base64')),
      sealed(`${randomBytes(64).toString('base64')}?iv=${randomBytes(16).toString('base64')}`),
      sealed(randomBytes(400_000).toString('base64')), // far over what a relay should take
    ],
    skewed: [message(peer, '{}', nowS() - 3_600), message(peer, '{}', nowS() + 3_600)],
    badMessage: [
      message(peer, 'not JSON'),
      message(peer, '{"type":"CONNECT"}'),
      message(peer, '{"key":"0","type":"NONSENSE"}'),
      message(peer, '['.repeat(30_000)),
    ],
  };
}

describe('events that are not to be believed', function () {
  this.timeout(60_000);
  const signer = createSigner(generateSecretKey());
  let relay: CarelessRelay;
  let entry: Side;
  let exit: Side;

  beforeEach(async () => {
    relay = await CarelessRelay.start();
    entry = entrySide();
    exit = await exitSide(signer, [relay.url], (incoming) => {
      const stream = incoming.accept();
      stream.on('error', () => undefined).pipe(stream);
    });
  });
  afterEach(async () => {
    await entry.close();
    await exit.close();
    await relay.close();
  });

  async function open(): Promise<Duplex> {
    const options = { peer: signer.pubkey, relays: [relay.url], destination: 'x.nostr:22' };
    const { stream } = await entry.session.open(options);
    return stream.on('error', () => undefined);
  }

  async function expectEcho(stream: Duplex, text: string): Promise<void> {
    stream.write(text);
    expect(String((await once(stream, 'data'))[0])).to.equal(text);
  }

  /** The key under which the entry speaks with this exit: a relay knows it, and so may anyone. */
  function entryKey(): string {
    return relay.authors.find((author) => author !== signer.pubkey) ?? '';
  }

  for (const side of ['exit', 'entry'] as const) {
    it(`are ignored by the ${side} and counted, and a stream goes on`, async () => {
      const stream = await open();
      await expectEcho(stream, 'before');
      const { session } = side === 'exit' ? exit : entry;
      const before = { ...session.ignored };
      const wrong = wrongEvents(side === 'exit' ? signer.pubkey : entryKey());
      for (const event of Object.values(wrong).flat()) relay.inject(event);
      // Behind all of those, so they have arrived when this comes back.
      await expectEcho(stream, 'after');
      for (const reason of REASONS) {
        const counted = session.ignored[reason] - before[reason];
        expect(counted, reason).to.be.at.least(wrong[reason].length);
      }
      stream.destroy();
      await until(() => entry.session.streams + exit.session.streams === 0);
    });
  }

  it('are counted as repeats where they are', async () => {
    const event = message(signer.pubkey, JSON.stringify({ key: 'x', type: 'PING' }));
    relay.inject(event);
    relay.inject(event);
    await until(() => exit.session.ignored.duplicate === 1);
  });

  it('may be no events at all, or frames that no relay should send', async () => {
    const stream = await open();
    const things = [null, 1, 'text', [], {}, { kind: 28333 }, { ...{ id: 1, tags: 'x' } }];
    for (const thing of things) relay.inject(thing);
    for (const frame of ['', '{', '[]', '["EVENT"]', '["OK",1]', randomBytes(1_000)]) {
      relay.injectFrame(frame);
    }
    await expectEcho(stream, 'still here');
  });

  it('may cost a connection to the relay, and no stream', async () => {
    const stream = await open();
    const { connections } = relay;
    relay.injectFrame('x'.repeat(2 * 1024 * 1024));
    await until(() => relay.connections > connections);
    await expectEcho(stream, 'still here');
  });
});

describe('a download among strangers', function () {
  this.timeout(60_000);

  it('is right while their events rain on entry and exit', async () => {
    const relay = await CarelessRelay.start();
    const site = await Site.start();
    const world = await World.start({ target: site.url, relayUrl: relay.url });
    const wrong = Object.values(wrongEvents(world.exit.pubkey)).flat();
    const rain = setInterval(() => {
      for (const event of wrong) relay.inject(event);
    }, 20);
    const got = await world.transfer(world.https('/bytes/3000000'));
    clearInterval(rain);
    expect(got).to.deep.equal({ ...(await digest(generated(3_000_000))), status: 0, stderr: '' });
    await world.close();
    await site.close();
    await relay.close();
  });
});

describe('garbage to the port of the proxy', function () {
  this.timeout(60_000);
  let site: Site;
  let world: World;

  before(async () => {
    site = await Site.start();
    world = await World.start({ target: site.url });
  });
  after(async () => {
    await world.close();
    await site.close();
  });

  it('costs nobody anything: half handshakes, garbage, resets, 300 idle tunnels', async () => {
    const hello = Buffer.from('16030100c8010000c40303', 'hex');
    const idle: Socket[] = [];
    for (let count = 0; count < 300; count += 1) {
      const socket = await world.connect(world.exit.domain, 443);
      idle.push(socket);
      if (count % 3 === 1) socket.write(hello);
      if (count % 3 === 2) socket.write(randomBytes(300));
    }
    expect((await world.curl(world.https('/page'))).stdout).to.equal('GET /page\n');
    for (const [index, socket] of idle.entries()) {
      if (index % 2 === 0) socket.resetAndDestroy();
      else socket.resume().end();
    }
    await world.quiet();
    for (const socket of idle) socket.destroy();
  });
});
