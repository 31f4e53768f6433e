// The habits in which relays differ, as switches of the embedded relay.
import { get } from 'node:http';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { MemoryRelay, type RelayBehaviour } from '../../../src/relay/embedded/memory-relay.js';
import { nostrRsRelayBehaviour } from '../../../src/relay/embedded/presets.js';
import { alice, bob, nowS, RawClient, signed } from '../helpers.js';

describe('memory relay: habits', () => {
  const forBob = { kinds: [28333], '#p': [bob.pubkey], limit: 0 };
  let relay: MemoryRelay;
  let clients: RawClient[];

  async function start(behaviour: Partial<RelayBehaviour>): Promise<RawClient> {
    relay = await MemoryRelay.start({ behaviour });
    clients = [];
    return connect();
  }

  async function connect(): Promise<RawClient> {
    const client = await RawClient.connect(relay.url);
    clients.push(client);
    return client;
  }

  function answerTo(challenge: unknown, signer = alice) {
    const tags = [
      ['relay', relay.url],
      ['challenge', `${challenge}`],
    ];
    return signed({ kind: 22242, tags }, signer);
  }

  /** Status and Location of the answer to a handshake. */
  async function refusal(headers: Record<string, string> = {}): Promise<string> {
    const ws = new WebSocket(relay.url, { headers });
    return new Promise((resolve, reject) => {
      ws.on('error', () => undefined);
      ws.on('open', () => reject(new Error('open')));
      ws.on('unexpected-response', (request, { statusCode, headers: { location = '' } }) => {
        request.destroy();
        resolve(`${statusCode} ${location}`.trim());
      });
    });
  }

  afterEach(async () => {
    for (const client of clients) await client.close();
    await relay.close();
  });

  it('confirms no ephemeral event, and others', async () => {
    const client = await start({ silent: 'ephemerals' });
    await client.request('live', forBob);
    client.send('EVENT', signed());
    await client.next('EVENT');
    const note = signed({ kind: 1 });
    client.send('EVENT', note);
    expect((await client.next('OK'))[1]).to.equal(note.id);
  });

  it('leaves out each so-many-th OK', async () => {
    const client = await start({ missEveryOk: 3, muteUnheard: false });
    const events = Array.from({ length: 7 }, () => signed());
    for (const event of events) client.send('EVENT', event);
    const confirmed: unknown[] = [];
    while (confirmed.length < 5) confirmed.push((await client.next('OK'))[1]);
    expect(confirmed).to.deep.equal([0, 1, 3, 4, 6].map((index) => events[index]?.id));
  });

  it('tells refusals of events and subscriptions by NOTICE', async () => {
    const behaviour = { refusals: 'notice', maxSubscriptions: 1, maxEventBytes: 1_000 } as const;
    const client = await start({ ...behaviour, tooLargeText: 'more than SIZE bytes' });
    await client.request('one', forBob);
    client.send('REQ', 'two', forBob);
    expect((await client.next('NOTICE'))[1]).to.match(/too many/);
    client.send('EVENT', signed({ content: 'x'.repeat(1_000) }));
    expect((await client.next('NOTICE'))[1]).to.equal('more than 1000 bytes');
  });

  it('ends a subscription beyond its bound', async () => {
    const client = await start({ maxSubscriptions: 1 });
    await client.request('one', forBob);
    client.send('REQ', 'two', forBob);
    expect(await client.next('CLOSED')).to.deep.equal([
      'CLOSED',
      'two',
      'error: too many concurrent REQs',
    ]);
  });

  it('replaces a REQ whose id is in use, ignores the new one, or ends both', async () => {
    const client = await start({});
    const forAlice = { ...forBob, '#p': [alice.pubkey] };
    await client.request('same', forBob);
    await client.request('same', forAlice);
    expect((await client.publish(signed())).ok).to.equal(false);
    relay.behaviour.sameId = 'ignore';
    client.send('REQ', 'same', forBob);
    expect((await client.publish(signed())).ok).to.equal(false);
    relay.behaviour.sameId = 'close';
    client.send('REQ', 'same', forBob);
    expect((await client.next('CLOSED'))[1]).to.equal('same');
    expect(relay.stats.subscriptions).to.equal(0);
  });

  it('refuses limit 0, or ends the subscription behind its EOSE', async () => {
    const client = await start({ limitZero: 'refused' });
    client.send('REQ', 'none', forBob);
    expect((await client.next('CLOSED'))[2]).to.match(/limit/);
    relay.behaviour.limitZero = 'ends';
    await client.request('none', forBob);
    expect((await client.next('CLOSED'))[1]).to.equal('none');
    expect(relay.stats.subscriptions).to.equal(0);
  });

  it('asks for authentication behind a refusal alone', async () => {
    const client = await start({ authRequired: true, authChallenge: 'behind refusals' });
    client.send('REQ', 'mine', forBob);
    await client.next('CLOSED');
    client.send('AUTH', answerTo((await client.next('AUTH'))[1]));
    expect((await client.next('OK'))[2]).to.equal(true);
    await client.request('mine', forBob);
  });

  it('asks again after a while, and ends what was subscribed', async () => {
    const client = await start({ authRequired: true, authAgainAfter: 1, muteUnheard: false });
    client.send('AUTH', answerTo((await client.next('AUTH'))[1]));
    await client.request('mine', forBob);
    await client.next('OK');
    expect((await client.publish(signed())).ok).to.equal(true);
    expect((await client.publish(signed())).reason).to.match(/^auth-required:/);
    expect((await client.next('CLOSED'))[1]).to.equal('mine');
    client.send('AUTH', answerTo((await client.next('AUTH'))[1]));
    expect((await client.next('OK'))[2]).to.equal(true);
  });

  it('delivers to authenticated receivers alone, as several keys if need be', async () => {
    const client = await start({ authRequired: true, receiversOnly: true, muteUnheard: false });
    const [, challenge] = await client.next('AUTH');
    client.send('AUTH', answerTo(challenge));
    await client.next('OK');
    await client.request('mine', forBob);
    await client.publish(signed());
    client.send('AUTH', answerTo(challenge, bob));
    await client.next('OK');
    const seen = signed();
    await client.publish(seen);
    expect(client.takeEvents()).to.deep.equal([seen]);
  });

  it('judges by a clock of its own, and shows it', async () => {
    const client = await start({ clockAheadS: 3_600 });
    expect((await client.publish(signed())).reason).to.equal('invalid: ephemeral event expired');
    const date = await new Promise<string>((resolve) => {
      get(relay.url.replace('ws', 'http'), (response) => {
        response.resume();
        resolve(response.headers.date ?? '');
      });
    });
    expect(Date.parse(date) / 1_000 - nowS()).to.be.within(3_590, 3_610);
  });

  it('turns away who has no User-Agent', async () => {
    await start({});
    relay.behaviour.wantsUserAgent = true;
    expect(await refusal()).to.equal('403');
    const named = new WebSocket(relay.url, { headers: { 'User-Agent': 'test' } });
    await new Promise((resolve) => named.on('open', resolve));
    named.terminate();
  });

  it('redirects', async () => {
    await start({});
    relay.behaviour.redirect = { status: 308, location: 'wss://elsewhere.example/' };
    expect(await refusal()).to.equal('308 wss://elsewhere.example/');
  });

  it('as nostr-rs-relay: no OK, no EOSE, and a NOTICE for what is too large', async () => {
    const client = await start(nostrRsRelayBehaviour);
    client.send('REQ', 'live', forBob);
    const event = signed();
    client.send('EVENT', event);
    expect((await client.next('EVENT'))[2]).to.deep.equal(event);
    client.send('EVENT', signed({ content: 'x'.repeat(70_000) }));
    expect((await client.next('NOTICE'))[1]).to.equal('event exceeded max size');
  });
});
