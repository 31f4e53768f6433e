// What passed over a link: events, bytes and refusals, on a link that goes and comes back.

import { once } from 'node:events';
import { expect } from 'chai';
import { RelayLedger } from '../../src/relay/counts.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import { RelayPool } from '../../src/relay/pool.js';
import { until } from '../support/until.js';
import { bob, publish, signed, silentLog } from './helpers.js';

describe('relay counts', () => {
  let relay: MemoryRelay;
  let pool: RelayPool;

  beforeEach(async () => {
    relay = await MemoryRelay.start();
    pool = new RelayPool({ log: silentLog, idleMs: 0 });
  });
  afterEach(async () => {
    await pool.close();
    await relay.close();
  });

  it('go up with what passes, and on where the link is made anew', async () => {
    const counts = pool.ledger.of(relay.url);
    let link = pool.acquire(relay.url);
    await pool.whenUp([relay.url], 5_000);
    const onEvent = (): void => undefined;
    link.subscribe([{ kinds: [28333], '#p': [bob.pubkey], limit: 0 }], { onEvent });
    await publish(link, signed());
    await until(() => counts.eventsReceived === 1);
    expect(counts).to.include({ connects: 1, eventsSent: 1, eventsReceived: 1, refusals: 0 });
    const { bytesSent, bytesReceived } = counts;
    expect(Math.min(bytesSent, bytesReceived)).to.be.greaterThan(300);
    pool.release(relay.url);
    await until(() => pool.links().length === 0);
    expect(counts.bytesSent).to.be.at.least(bytesSent);
    link = pool.acquire(relay.url);
    await once(link, 'up');
    await publish(link, signed());
    expect(counts).to.include({ connects: 2, eventsSent: 2 });
    expect(counts.bytesSent).to.be.greaterThan(bytesSent);
    expect(pool.ledger.entries().map(([url]) => url)).to.deep.equal([relay.url]);
  });

  it('keep the reason of the last refusal', async () => {
    const strict = await MemoryRelay.start({ behaviour: { maxEventBytes: 100 } });
    const link = pool.acquire(strict.url);
    await pool.whenUp([strict.url], 5_000);
    const { ok, reason } = await publish(link, signed());
    expect(ok).to.equal(false);
    const { refusals, lastRefusal } = pool.ledger.of(strict.url);
    expect([refusals, lastRefusal?.reason]).to.deep.equal([1, reason]);
    await strict.close();
  });

  it('are kept by name for so many relays, and together for all others', () => {
    const ledger = new RelayLedger(2);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((url) => ledger.of(url));
    expect(c).to.equal(d);
    expect(new Set([a, b, c]).size).to.equal(3);
    expect(ledger.of('a')).to.equal(a);
    expect(ledger.entries().map(([url]) => url)).to.deep.equal(['a', 'b', 'other']);
  });
});
