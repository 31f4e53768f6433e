// The switches of the embedded relay: each does what a real relay does to us.
import { once } from 'node:events';
import { expect } from 'chai';
import {
  MemoryRelay,
  type RelayBehaviour,
  strfryBehaviour,
} from '../../../src/relay/embedded/memory-relay.js';
import { alice, bob, nowS, RawClient, signed } from '../helpers.js';

describe('memory relay: behaviour', () => {
  const forBob = { kinds: [28333], '#p': [bob.pubkey] };
  let relay: MemoryRelay;
  let clients: RawClient[];

  async function start(behaviour: Partial<RelayBehaviour>, seed?: number): Promise<RawClient> {
    relay = await MemoryRelay.start({ behaviour, seed });
    clients = [];
    return connect();
  }

  async function connect(): Promise<RawClient> {
    const client = await RawClient.connect(relay.url);
    clients.push(client);
    return client;
  }

  async function receive(client: RawClient, count: number): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) ids.push(((await client.next('EVENT'))[2] as { id: string }).id);
    return ids;
  }

  async function answers(client: RawClient, count: number): Promise<unknown[]> {
    const ids: unknown[] = [];
    while (ids.length < count) ids.push((await client.next('OK'))[1]);
    return ids;
  }

  async function publishMany(client: RawClient, count: number): Promise<string[]> {
    const created_at = nowS();
    const events = Array.from({ length: count }, () => signed({ created_at }));
    for (const event of events) await client.publish(event);
    return events.map((event) => event.id);
  }

  /** Without waiting for answers. */
  function sendMany(client: RawClient, count: number, kind = 28333): string[] {
    const created_at = nowS();
    const events = Array.from({ length: count }, () => signed({ created_at, kind }));
    for (const event of events) client.send('EVENT', event);
    return events.map((event) => event.id);
  }

  afterEach(async () => {
    for (const client of clients) await client.close();
    await relay.close();
  });

  it('delays: OK comes first, the event after deliveryDelayMs', async () => {
    const client = await start({ deliveryDelayMs: 80 });
    await client.request('live', { ...forBob, limit: 0 });
    const startedAt = performance.now();
    await client.publish(signed());
    expect(client.takeEvents()).to.deep.equal([]);
    await client.next('EVENT');
    expect(performance.now() - startedAt).to.be.at.least(75);
  });

  it('reorders: a batch comes out in the order of created_at and id', async () => {
    const client = await start({ reorder: true });
    await client.request('live', { ...forBob, limit: 0 });
    relay.behaviour.deliveryDelayMs = 600;
    const ids = await publishMany(client, 12);
    const received = await receive(client, ids.length);
    expect(received).to.deep.equal([...ids].sort());
    expect(received).to.not.deep.equal(ids);
  });

  it('takes down write batches: answers and delivers each in the order of created_at and id', async () => {
    const client = await start({ reorder: true, writeBatchMs: 300 });
    await client.request('live', { ...forBob, limit: 0 });
    const ids = sendMany(client, 12);
    const sorted = [...ids].sort();
    expect(await answers(client, 12)).to.deep.equal(sorted);
    expect(await receive(client, 12)).to.deep.equal(sorted);
    expect(sorted).to.not.deep.equal(ids);
  });

  it('keeps an event behind one whose OK came before it was published, as strfry does', async () => {
    const client = await start({ ...strfryBehaviour, deliveryDelayMs: 600 });
    await client.request('live', { ...forBob, limit: 0 });
    const ids = await publishMany(client, 12);
    expect(await receive(client, 12)).to.deep.equal(ids);
  });

  it('takes down events in the order of arrival where it does not reorder', async () => {
    const client = await start({ writeBatchMs: 300 });
    await client.request('live', { ...forBob, limit: 0 });
    const ids = sendMany(client, 12);
    expect(await answers(client, 12)).to.deep.equal(ids);
    expect(await receive(client, 12)).to.deep.equal(ids);
  });

  it('takes ten times longer for the write batch after one of many events', async () => {
    const client = await start({ writeBatchMs: 20 });
    sendMany(client, 5, 1);
    await answers(client, 5);
    const startedAt = performance.now();
    sendMany(client, 1, 1);
    await answers(client, 1);
    expect(performance.now() - startedAt).to.be.at.least(195);
  });

  it('answers refusals and repetitions at once, ahead of the write batch', async () => {
    const client = await start({ writeBatchMs: 60_000 });
    const event = signed({ kind: 1 });
    client.send('EVENT', event);
    expect((await client.publish({ ...event, content: 'changed' })).ok).to.equal(false);
    expect((await client.publish(event)).reason).to.match(/^duplicate:/);
  });

  it('replays ephemeral events newest first, unless the limit is 0', async () => {
    const client = await start({ replayEphemerals: true, muteUnheard: false });
    const older = signed({ created_at: nowS() - 5 });
    const newer = signed();
    await client.publish(older);
    await client.publish(newer);
    expect(await client.request('all', forBob)).to.deep.equal([newer, older]);
    expect(await client.request('none', { ...forBob, limit: 0 })).to.deep.equal([]);
  });

  it('loses a share of the deliveries, the same ones with the same seed', async () => {
    const outcomes: number[][] = [];
    for (const seed of [7, 7, 8]) {
      const client = await start({ loss: 0.5 }, seed);
      await client.request('live', { ...forBob, limit: 0 });
      const ids = await publishMany(client, 40);
      await client.roundTrip();
      const received = client.takeEvents().map((event) => ids.indexOf(event.id));
      expect(received.length).to.be.within(5, 35);
      outcomes.push(received);
      await client.close();
      await relay.close();
    }
    expect(outcomes[1]).to.deep.equal(outcomes[0]);
    expect(outcomes[2]).to.not.deep.equal(outcomes[0]);
  });

  it('duplicates', async () => {
    const client = await start({ duplicate: 1 });
    await client.request('live', { ...forBob, limit: 0 });
    const event = signed();
    await client.publish(event);
    await client.roundTrip();
    expect(client.takeEvents()).to.deep.equal([event, event]);
  });

  it('refuses by text, or by a function', async () => {
    const client = await start({ refuse: 'rate-limited: slow down' });
    const verdict = await client.publish(signed({ kind: 1 }));
    expect(verdict).to.deep.equal({ ok: false, reason: 'rate-limited: slow down' });
    relay.behaviour.refuse = ({ kind }) => (kind === 1 ? 'blocked: no notes' : undefined);
    expect((await client.publish(signed({ kind: 1 }))).reason).to.equal('blocked: no notes');
    expect((await client.publish(signed({ kind: 2 }))).ok).to.equal(true);
  });

  it('is silent: takes an event and never says OK', async () => {
    const client = await start({ silent: true });
    await client.request('live', { kinds: [1], limit: 0 });
    client.send('EVENT', signed({ kind: 1 }));
    await client.next('EVENT');
    relay.behaviour.silent = false;
    const event = signed({ kind: 1 });
    client.send('EVENT', event);
    expect((await client.next('OK'))[1]).to.equal(event.id);
  });

  it('disconnects everybody on demand, and by disconnectEveryMs at the next frame', async () => {
    const client = await start({});
    relay.disconnectAll();
    await once(client.ws, 'close');
    const next = await connect();
    relay.behaviour.disconnectEveryMs = 1;
    const timer = setInterval(() => next.ws.send('[]'), 5);
    await once(next.ws, 'close');
    clearInterval(timer);
  });

  it('honours maxEventBytes', async () => {
    const client = await start({ maxEventBytes: 1_000 });
    const large = await client.publish(signed({ kind: 1, content: 'x'.repeat(1_000) }));
    expect(large.reason).to.equal('invalid: event too large');
  });

  it('cuts off a reader that is too far behind, while the publisher still gets OK', async () => {
    const reader = await start({ slowReaderBytes: 200_000 });
    const writer = await connect();
    await reader.request('live', { ...forBob, limit: 0 });
    reader.ws.pause();
    let sent = 0;
    while (relay.stats.connections === 2) {
      const content = `${++sent}${'x'.repeat(60_000)}`;
      expect(await writer.publish(signed({ content }))).to.deep.equal({ ok: true, reason: '' });
      expect(sent).to.be.below(1_000);
    }
    reader.ws.resume();
    await once(reader.ws, 'close');
  });

  it('demands authentication, and takes only an answer to its own challenge', async () => {
    const client = await start({ authRequired: true });
    const [, challenge] = await client.next('AUTH');
    expect((await client.publish(signed({ kind: 1 }))).reason).to.match(/^auth-required:/);
    client.send('REQ', 'x', { kinds: [1] });
    expect((await client.next('CLOSED'))[2]).to.match(/^auth-required:/);
    const answer = (text: unknown, url: string) =>
      signed({
        kind: 22242,
        tags: [
          ['relay', url],
          ['challenge', `${text}`],
        ],
      });
    for (const wrong of [answer('other', relay.url), answer(challenge, 'ws://elsewhere.example')]) {
      client.send('AUTH', wrong);
      expect((await client.next('OK'))[2]).to.equal(false);
    }
    client.send('AUTH', answer(challenge, relay.url));
    expect((await client.next('OK'))[2]).to.equal(true);
    expect((await client.publish(signed({ kind: 1 }))).ok).to.equal(true);
  });

  it('as strfry: takes unheard ephemerals, replays them, delays and reorders', async () => {
    const client = await start(strfryBehaviour);
    expect(relay.behaviour).to.include({ deliveryDelayMs: 100, reorder: true, muteUnheard: false });
    const event = signed();
    expect((await client.publish(event)).ok).to.equal(true);
    expect(await client.request('late', { authors: [alice.pubkey] })).to.deep.equal([event]);
  });
});
