// Announcements on relays, found: the embedded relay, and sources that hold what no good relay would.

import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { createSigner, generateSecretKey, type Signer } from '../../../src/crypto/signer.js';
import { announcementEvent } from '../../../src/protocol/wire/events.js';
import { discoverExits } from '../../../src/proxy/clearnet/discovery.js';
import { MemoryRelay } from '../../../src/relay/embedded/memory-relay.js';
import { RelayPool } from '../../../src/relay/pool.js';
import { errorOf } from '../../support/expect-error.js';
import { deadPort } from '../../support/servers.js';
import { silent } from '../fixture.js';

const nowS = (): number => Math.floor(Date.now() / 1_000);
const newSigner = (): Signer => createSigner(generateSecretKey());

function announcement(signer: Signer, ageS = 0, livesS = 10): NostrEvent {
  const createdAt = nowS() - ageS;
  return signer.sign(announcementEvent(createdAt, createdAt + livesS));
}

describe('proxy/discovery over relays', () => {
  let relays: MemoryRelay[];
  let pool: RelayPool;

  beforeEach(async () => {
    relays = [await MemoryRelay.start(), await MemoryRelay.start()];
    pool = new RelayPool({ log: silent });
  });
  afterEach(async () => {
    await pool.close();
    for (const relay of relays) await relay.close();
  });

  it('finds each exit once, with the relays where it announces itself, the latest first', async () => {
    const [first, second] = relays.map(({ url }) => url);
    const [both, one] = [newSigner(), newSigner()];
    const event = announcement(both, 3);
    await pool.broadcast([first!, second!], event);
    await pool.broadcast([second!], announcement(one, 1));
    const found = await discoverExits({ source: pool, relays: [first!, second!] });
    expect(found).to.deep.equal([
      {
        pubkey: one.pubkey,
        relays: [second],
        reliable: true,
        version: 2,
        announcedAt: found[0]?.announcedAt,
      },
      {
        pubkey: both.pubkey,
        relays: [first, second],
        reliable: true,
        version: 2,
        announcedAt: event.created_at,
      },
    ]);
  });

  it('finds an exit whose next announcement is just due', async () => {
    const [relay] = relays.map(({ url }) => url);
    const exit = newSigner();
    const searching = discoverExits({ source: pool, relays: [relay!] });
    await pool.whenUp([relay!], 5_000);
    await pool.broadcast([relay!], announcement(exit));
    expect((await searching).map(({ pubkey }) => pubkey)).to.deep.equal([exit.pubkey]);
  });

  it('asks the relays that there are, and says which fail when all do', async () => {
    const dead = `ws://127.0.0.1:${await deadPort()}`;
    const exit = newSigner();
    await pool.broadcast([relays[0]!.url], announcement(exit));
    const found = await discoverExits({ source: pool, relays: [dead, relays[0]!.url] });
    expect(found.map(({ pubkey }) => pubkey)).to.deep.equal([exit.pubkey]);
    const error = await errorOf(() => discoverExits({ source: pool, relays: [dead] }));
    expect(error).to.include({ code: 'relay_unreachable' });
    expect(error.message).to.include(dead);
  });
});

describe('proxy/discovery of what a source holds', () => {
  const search = (events: readonly NostrEvent[], signal = AbortSignal.abort()) =>
    discoverExits({ source: { query: async () => [...events] }, relays: ['ws://a'], signal });

  it('leaves out what is expired, too old, from the future, or something else', async () => {
    const unexpiring = (createdAt: number): NostrEvent =>
      newSigner().sign({ kind: 38333, created_at: createdAt, tags: [], content: '' });
    const good = unexpiring(nowS());
    const found = await search([
      announcement(newSigner(), 20),
      announcement(newSigner(), 4_000, 1_000_000),
      announcement(newSigner(), -600),
      unexpiring(nowS() - 4_000),
      newSigner().sign({ kind: 1, created_at: nowS(), tags: [], content: '' }),
      good,
    ]);
    expect(found.map(({ pubkey }) => pubkey)).to.deep.equal([good.pubkey]);
    expect(found[0]?.reliable).to.equal(false);
  });

  it('believes the newest announcement of an exit', async () => {
    const exit = newSigner();
    const plain = exit.sign({ kind: 38333, created_at: nowS(), tags: [], content: '' });
    for (const events of [
      [plain, announcement(exit, 2)],
      [announcement(exit, 2), plain],
    ]) {
      const [found, ...others] = await search(events);
      expect(found).to.include({ reliable: false, announcedAt: plain.created_at });
      expect(others).to.deep.equal([]);
    }
  });

  it('holds 64 exits, the latest', async () => {
    const events = Array.from({ length: 70 }, (_, ageS) => announcement(newSigner(), ageS, 600));
    const found = await search(events.toReversed());
    expect(found.map(({ pubkey }) => pubkey)).to.deep.equal(
      events.slice(0, 64).map(({ pubkey }) => pubkey),
    );
  });

  it('asks a few times where there is none, and ends early when told', async () => {
    let queries = 0;
    const query = async (): Promise<NostrEvent[]> => {
      queries += 1;
      return [];
    };
    const stop = new AbortController();
    const relays = ['ws://a'];
    const searching = discoverExits({ source: { query }, relays, signal: stop.signal });
    setImmediate(() => stop.abort());
    expect(await searching).to.deep.equal([]);
    expect(queries).to.equal(2);
  });

  it('needs a relay', async () => {
    const source = { query: async () => [] };
    const error = await errorOf(() => discoverExits({ source, relays: [] }));
    expect(error).to.include({ code: 'no_relay' });
  });
});
