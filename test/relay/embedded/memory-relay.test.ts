// The embedded relay, seen by a bare NIP-01 client.
import { once } from 'node:events';
import { expect } from 'chai';
import { MemoryRelay } from '../../../src/relay/embedded/memory-relay.js';
import { alice, bob, nowS, RawClient, signed } from '../helpers.js';

describe('memory relay: NIP-01', () => {
  let relay: MemoryRelay;
  let client: RawClient;
  let other: RawClient;

  beforeEach(async () => {
    relay = await MemoryRelay.start();
    client = await RawClient.connect(relay.url);
    other = await RawClient.connect(relay.url);
  });

  afterEach(async () => {
    await client.close();
    await other.close();
    await relay.close();
  });

  it('delivers an ephemeral event live to those who subscribed by #p, and to nobody else', async () => {
    await client.request('mine', { kinds: [28333], '#p': [bob.pubkey], limit: 0 });
    await other.request('not-mine', { kinds: [28333], '#p': [alice.pubkey], limit: 0 });
    const event = signed();
    expect(await other.publish(event)).to.deep.equal({ ok: true, reason: '' });
    expect((await client.next('EVENT')).slice(1)).to.deep.equal(['mine', event]);
    await other.roundTrip();
    expect(other.takeEvents()).to.deep.equal([]);
  });

  it('does not store ephemeral events', async () => {
    await client.request('live', { kinds: [28333], limit: 0 });
    await other.publish(signed());
    await client.next('EVENT');
    expect(await other.request('late', { kinds: [28333] })).to.deep.equal([]);
  });

  it('says mute: for an ephemeral event that nobody is subscribed to, and takes it later', async () => {
    const event = signed();
    const refusal = await client.publish(event);
    expect(refusal).to.deep.equal({ ok: false, reason: 'mute: no one was listening' });
    await other.request('mine', { '#p': [bob.pubkey] });
    expect((await client.publish(event)).ok).to.equal(true);
  });

  it('gives stored events newest first, by author, kind, id, tag, time and limit', async () => {
    const events = [1, 2, 3].map((age) =>
      signed({ kind: 1, created_at: nowS() - age, tags: [['t', `${age}`]] }),
    );
    for (const event of events) await client.publish(event);
    const [first, second, third] = events;
    const all = { authors: [alice.pubkey], kinds: [1] };
    expect(await client.request('all', all)).to.deep.equal(events);
    expect(await client.request('limit', { ...all, limit: 2 })).to.deep.equal([first, second]);
    expect(await client.request('zero', { ...all, limit: 0 })).to.deep.equal([]);
    expect(await client.request('id', { ids: [second?.id] })).to.deep.equal([second]);
    expect(await client.request('tag', { '#t': ['3'] })).to.deep.equal([third]);
    expect(await client.request('until', { until: third?.created_at })).to.deep.equal([third]);
    const both = [{ '#t': ['1'] }, { '#t': ['1', '3'] }];
    expect(await client.request('or', ...both)).to.deep.equal([first, third]);
  });

  it('keeps the newest of an addressable event, and of two from one second the lower id', async () => {
    const at = nowS();
    const make = (created_at: number) => signed({ kind: 38334, created_at, tags: [['d', '']] });
    const twins = [make(at), make(at)].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect((await client.publish(make(at - 10))).ok).to.equal(true);
    expect((await client.publish(twins[1])).ok).to.equal(true);
    expect((await client.publish(twins[0])).ok).to.equal(true);
    expect((await client.publish(make(at - 5))).reason).to.equal('replaced: have newer event');
    expect(await client.request('newest', { kinds: [38334] })).to.deep.equal([twins[0]]);
  });

  it('takes an event without d tag and one with an empty one for the same address', async () => {
    const at = nowS();
    const bare = signed({ kind: 38333, created_at: at - 1, tags: [] });
    const empty = signed({ kind: 38333, created_at: at, tags: [['d', '']] });
    const named = signed({ kind: 38333, created_at: at - 2, tags: [['d', 'x']] });
    for (const event of [bare, empty, named]) await client.publish(event);
    expect(await client.request('both', { kinds: [38333] })).to.deep.equal([empty, named]);
  });

  it('answers a repeated event as a duplicate and delivers it once', async () => {
    await client.request('live', { kinds: [1], limit: 0 });
    const event = signed({ kind: 1 });
    await other.publish(event);
    const again = await other.publish(event);
    expect(again.ok).to.equal(true);
    expect(again.reason).to.match(/^duplicate:/);
    await client.roundTrip();
    expect(client.takeEvents()).to.deep.equal([event]);
  });

  it('refuses a wrong signature, a wrong id, a wrong shape and nonsense', async () => {
    const event = signed({ kind: 1 });
    const wrong = [
      { ...event, sig: signed({ kind: 1 }).sig },
      { ...event, content: 'changed' },
      { ...event, kind: '1' },
      { id: event.id },
      null,
      [],
    ];
    for (const value of wrong) {
      const { ok, reason } = await client.publish(value);
      expect(ok, JSON.stringify(value)).to.equal(false);
      expect(reason).to.match(/^invalid:/);
    }
    expect(relay.stats.refused).to.equal(wrong.length);
  });

  it('passes on the fields of NIP-01 alone', async () => {
    await client.request('live', { kinds: [1], limit: 0 });
    const event = signed({ kind: 1 });
    await other.publish({ ...event, extra: 'x'.repeat(100) });
    expect((await client.next('EVENT'))[2]).to.deep.equal(event);
  });

  it('refuses expired events and stops serving those that expire (NIP-40)', async () => {
    const expired = signed({ kind: 1, tags: [['expiration', `${nowS() - 1}`]] });
    expect((await client.publish(expired)).reason).to.equal('invalid: event expired');
    const valid = signed({ kind: 1, tags: [['expiration', `${nowS() + 100}`]] });
    expect((await client.publish(valid)).ok).to.equal(true);
    expect(await client.request('valid', { kinds: [1] })).to.deep.equal([valid]);
  });

  it('refuses old ephemeral events and those from the future', async () => {
    await client.request('live', { '#p': [bob.pubkey] });
    const old = await client.publish(signed({ created_at: nowS() - 70 }));
    expect(old.reason).to.equal('invalid: ephemeral event expired');
    const early = await client.publish(signed({ created_at: nowS() + 1_000 }));
    expect(early.reason).to.equal('invalid: created_at too late');
    expect((await client.publish(signed({ created_at: nowS() - 50 }))).ok).to.equal(true);
  });

  it('refuses an event over the limit, and drops the connection for a frame over 131,072 bytes', async () => {
    const large = await client.publish(signed({ kind: 1, content: 'x'.repeat(65_600) }));
    expect(large).to.deep.equal({ ok: false, reason: 'invalid: event too large' });
    client.send('EVENT', signed({ kind: 1, content: 'x'.repeat(131_100) }));
    await once(client.ws, 'close');
  });

  it('stops delivering after CLOSE, and replaces a subscription with the same id', async () => {
    await client.request('one', { kinds: [1], limit: 0 });
    await client.request('two', { kinds: [1], limit: 0 });
    await client.request('two', { kinds: [7], limit: 0 });
    client.send('CLOSE', 'one');
    await client.roundTrip();
    await other.publish(signed({ kind: 1 }));
    const seven = signed({ kind: 7 });
    await other.publish(seven);
    expect((await client.next('EVENT')).slice(1)).to.deep.equal(['two', seven]);
    expect(client.takeEvents()).to.deep.equal([]);
  });

  it('allows 200 subscriptions a connection and forgets them with it', async () => {
    for (let n = 0; n < 200; n++) await client.request(`s${n}`, { kinds: [1], limit: 0 });
    client.send('REQ', 'one-more', { kinds: [1] });
    expect((await client.next('CLOSED'))[1]).to.equal('one-more');
    expect(relay.stats.subscriptions).to.equal(200);
    await client.close();
    await other.roundTrip();
    expect(relay.stats).to.include({ subscriptions: 0, connections: 1 });
  });

  it('answers malformed filters with CLOSED and other garbage with NOTICE, and lives on', async () => {
    const filters = [null, 7, { kinds: ['1'] }, { '#p': 'x' }, { limit: -1 }, { since: 1.5 }];
    for (const filter of filters) {
      client.send('REQ', 'bad', filter);
      expect((await client.next('CLOSED'))[2]).to.match(/^invalid:/);
    }
    for (const text of [
      '',
      '{',
      '7',
      'null',
      '[]',
      '[7]',
      '["REQ"]',
      '["REQ",""]',
      '["COUNT","x"]',
    ]) {
      client.ws.send(text);
      await client.next('NOTICE');
    }
    client.ws.send(Buffer.from([0xff, 0x00]));
    await client.next('NOTICE');
    expect((await client.publish(signed({ kind: 1 }))).ok).to.equal(true);
  });

  it('serves a NIP-11 document, and a plain page otherwise', async () => {
    const url = relay.url.replace('ws:', 'http:');
    const document = await fetch(url, { headers: { accept: 'application/nostr+json' } });
    expect(document.headers.get('access-control-allow-origin')).to.equal('*');
    expect(await document.json()).to.have.nested.property('limitation.max_message_length', 131_072);
    expect(await (await fetch(url)).text()).to.contain(relay.url);
  });

  it('names the problem when its port is taken', async () => {
    const port = Number(new URL(relay.url).port);
    const error = await MemoryRelay.start({ port }).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'address_in_use' });
  });
});
