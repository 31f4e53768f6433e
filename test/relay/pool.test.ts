// The pool: sharing links, asking several relays, telling several relays.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { NwsError } from '../../src/errors.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import { RelayPool, type RelayPoolOptions } from '../../src/relay/pool.js';
import { alice, bob, nowS, ScriptedRelay, signed, silentLog } from './helpers.js';

/** A port of this machine where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `ws://127.0.0.1:${port}`;
}

async function failure(promise: Promise<unknown>): Promise<NwsError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(NwsError);
  return error as NwsError;
}

describe('relay pool', () => {
  let relays: MemoryRelay[];
  let urls: string[];
  let pool: RelayPool;

  function newPool(options: Partial<RelayPoolOptions> = {}): RelayPool {
    pool = new RelayPool({ log: silentLog, ...options });
    return pool;
  }

  beforeEach(async () => {
    relays = [await MemoryRelay.start(), await MemoryRelay.start()];
    urls = relays.map(({ url }) => url);
    newPool();
  });

  afterEach(async () => {
    await pool.close();
    for (const relay of relays) await relay.close();
  });

  it('shares one link a relay, however its URL is written', async () => {
    const [url = ''] = urls;
    const link = pool.acquire(url);
    expect(pool.acquire(`${url.replace('ws:', 'WS:')}/`)).to.equal(link);
    expect(await pool.whenUp([url], 5_000)).to.equal(link);
    expect(pool.links()).to.deep.equal([link]);
    expect(relays[0]?.stats.connections).to.equal(1);
  });

  it('closes a link that nobody has held for a while, and keeps one that is taken again', async () => {
    newPool({ idleMs: 20 });
    const [first = '', second = ''] = urls;
    const idle = pool.acquire(first);
    pool.acquire(second);
    await pool.whenUp([first], 5_000);
    const kept = await pool.whenUp([second], 5_000);
    const down = once(idle, 'down');
    pool.release(second);
    pool.acquire(second);
    pool.release(first);
    await down;
    expect(pool.links()).to.deep.equal([kept]);
    expect(kept.isUp).to.equal(true);
  });

  it('holds at most 64 links, and gives up idle ones first', async () => {
    const url = (n: number) => `${urls[0]}/${n}`;
    for (let n = 0; n < 64; n++) pool.acquire(url(n));
    expect(() => pool.acquire(url(64)))
      .to.throw(NwsError)
      .that.includes({ code: 'connection_limit_reached' });
    pool.release(url(3));
    pool.acquire(url(64));
    expect(pool.links().map((link) => link.url)).to.not.include(url(3));
    expect(pool.links()).to.have.length(64);
  });

  it('refuses what is not a relay URL', async () => {
    expect(() => pool.acquire('https://example.com'))
      .to.throw(NwsError)
      .that.includes({ code: 'bad_name' });
    expect(await failure(pool.query(['nonsense'], {}, 100))).to.include({ code: 'bad_name' });
    expect(pool.links()).to.deep.equal([]);
  });

  it('finds the relay that is up beside one that is not', async () => {
    const dead = await deadUrl();
    for (const url of [dead, urls[0] ?? '']) pool.acquire(url);
    expect((await pool.whenUp([dead, urls[0] ?? ''], 5_000)).url).to.equal(urls[0]);
  });

  it('names each relay and its trouble when none comes up', async () => {
    const dead = [await deadUrl(), await deadUrl()];
    for (const url of dead) pool.acquire(url);
    const error = await failure(pool.whenUp(dead, 150));
    expect(error.code).to.equal('relay_unreachable');
    for (const url of dead) expect(error.message).to.contain(`${url}: connect ECONNREFUSED`);
  });

  it('asks several relays and gives each event once', async () => {
    const [first, second, both] = [1, 2, 3].map((age) =>
      signed({ kind: 1, created_at: nowS() - age }),
    );
    for (const event of [first, both]) if (event) await pool.broadcast(urls.slice(0, 1), event);
    for (const event of [second, both]) if (event) await pool.broadcast(urls.slice(1), event);
    const found = await pool.query(urls, { kinds: [1] }, 5_000);
    expect(found.map(({ id }) => id)).to.have.members([first?.id, second?.id, both?.id]);
  });

  it('answers with nothing when the relays have nothing, without waiting for the time-out', async () => {
    expect(await pool.query(urls, { kinds: [1] }, 60_000)).to.deep.equal([]);
    const withDead = [...urls, await deadUrl()];
    expect(await pool.query(withDead, { kinds: [1] }, 60_000)).to.deep.equal([]);
  });

  it('takes only what is signed and was asked for', async () => {
    const good = signed({ kind: 1 });
    const lies = [
      { ...good, content: 'forged' },
      signed({ kind: 2 }),
      signed({ kind: 1 }, bob),
      good,
    ];
    const liar = await ScriptedRelay.start((ws, [verb, id]) => {
      if (verb !== 'REQ') return;
      for (const event of lies) ws.send(JSON.stringify(['EVENT', id, event]));
      ws.send(JSON.stringify(['EOSE', id]));
    });
    const filter = { kinds: [1], authors: [alice.pubkey] };
    const found = await pool.query([liar.url], filter, 5_000);
    await pool.close();
    await liar.close();
    expect(found).to.deep.equal([good]);
  });

  it('does not wait for a relay that never answers once another has brought something', async () => {
    const silent = await ScriptedRelay.start();
    const event = signed({ kind: 1 });
    const told = await pool.broadcast([silent.url, urls[0] ?? ''], event);
    expect(told).to.deep.equal({ accepted: [urls[0]], refused: [] });
    expect(await pool.query([silent.url, urls[0] ?? ''], { kinds: [1] }, 60_000)).to.deep.equal([
      event,
    ]);
    expect(await pool.query([silent.url], { kinds: [1] }, 50)).to.deep.equal([]);
    await pool.close();
    await silent.close();
  });

  it('cannot ask when no relay can be reached, and says why', async () => {
    const error = await failure(pool.query([await deadUrl()], {}, 150));
    expect(error.code).to.equal('relay_unreachable');
    expect(error.message).to.contain('ECONNREFUSED');
    expect(await failure(pool.query([], {}, 150))).to.include({ code: 'no_relay' });
    expect(await failure(pool.whenUp([], 150))).to.include({ code: 'no_relay' });
  });

  it('ends a query at once when the only relay refuses it', async () => {
    const [relay] = relays;
    if (relay) relay.behaviour.authRequired = true;
    expect(await pool.query(urls.slice(0, 1), {}, 60_000)).to.deep.equal([]);
  });

  it('tells all relays, and says which refused and why', async () => {
    const [, second] = relays;
    if (second) second.behaviour.refuse = 'blocked: not you';
    const dead = await deadUrl();
    const { accepted, refused } = await pool.broadcast([...urls, dead], signed({ kind: 1 }));
    expect(accepted).to.deep.equal([urls[0]]);
    expect(refused[0]).to.deep.equal({ url: urls[1], reason: 'blocked: not you' });
    expect(refused[1]?.url).to.equal(dead);
    expect(refused[1]?.reason).to.match(/^error: .*ECONNREFUSED/);
  });

  it('ends what is under way when it closes, and takes nothing more', async () => {
    const silent = await ScriptedRelay.start();
    pool.acquire(await deadUrl());
    const [dead] = pool.links();
    const waiting = [
      failure(pool.query([silent.url], {}, 60_000)),
      failure(pool.whenUp([dead?.url ?? ''], 60_000)),
    ];
    await pool.whenUp([silent.url], 5_000);
    await pool.close();
    for (const error of await Promise.all(waiting)) {
      expect(error).to.include({ code: 'shutting_down' });
    }
    expect(() => pool.acquire(silent.url))
      .to.throw(NwsError)
      .that.includes({ code: 'shutting_down' });
    await silent.close();
  });

  it('leaves neither sockets nor timers behind', async () => {
    const kinds = ['TCPSocketWrap', 'TCPConnectWrap', 'Timeout'];
    const held = () =>
      process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind)).length;
    await pool.close();
    const before = held();
    newPool();
    const dead = await deadUrl();
    for (const url of [...urls, dead]) pool.acquire(url);
    const link = await pool.whenUp(urls, 5_000);
    link.subscribe([{ kinds: [1] }], { onEvent: () => undefined });
    await pool.query(urls, { kinds: [1] }, 5_000);
    await pool.broadcast(urls, signed({ kind: 1 }));
    await pool.close();
    for (const relay of relays) while (relay.stats.connections > 0) await setImmediatePromise();
    expect(held()).to.equal(before);
  });
});

function setImmediatePromise(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
