// What one client may publish in a second at the embedded relay: what is beyond comes late, or is refused.

import { expect } from 'chai';
import { MemoryRelay, type RelayBehaviour } from '../../../src/relay/embedded/memory-relay.js';
import { bob, RawClient, signed } from '../helpers.js';

describe('memory relay: rates', () => {
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

  /** Sends as many events of about so many bytes at once. @returns what the relay says, in its order */
  async function verdicts(client: RawClient, count: number, bytes = 100): Promise<unknown[]> {
    const events = Array.from({ length: count }, () =>
      signed({ content: `${Math.random()} `.padEnd(bytes, 'x') }),
    );
    for (const event of events) client.send('EVENT', event);
    const said: unknown[] = [];
    while (said.length < count) {
      const [, id, ok, reason] = await client.next('OK');
      said.push(ok === true ? events.findIndex((event) => event.id === id) : reason);
    }
    return said;
  }

  afterEach(async () => {
    for (const client of clients) await client.close();
    await relay.close();
  });

  it('late: takes bytes in turn, no sooner than the rate allows', async () => {
    const client = await start({ bytesPerSecond: 100_000, muteUnheard: false });
    const startedAt = performance.now();
    expect(await verdicts(client, 5, 4_000)).to.deep.equal([0, 1, 2, 3, 4]);
    expect(performance.now() - startedAt).to.be.at.least(200);
  });

  it('late: delivers late, too, and others are not held up', async () => {
    const client = await start({ eventsPerSecond: 20 });
    const listener = await connect();
    await listener.request('live', { '#p': [bob.pubkey], limit: 0 });
    const said = verdicts(client, 3);
    const other = await connect();
    expect(await verdicts(other, 1)).to.deep.equal([0]);
    expect(listener.takeEvents()).to.have.lengthOf.below(3);
    expect(await said).to.deep.equal([0, 1, 2]);
    await listener.roundTrip();
    expect(relay.stats.delivered).to.equal(4);
  });

  it('late: reads no more from a client of which too much waits, and goes on', async () => {
    const client = await start({ bytesPerSecond: 8_000_000, muteUnheard: false });
    const said = await verdicts(client, 60, 60_000);
    expect(said).to.deep.equal(said.map((_, index) => index));
    expect(said).to.have.lengthOf(60);
  });

  it('refused: what is beyond a second of the rate is rate-limited, for that client alone', async () => {
    const client = await start({ eventsPerSecond: 5, overRate: 'refused', muteUnheard: false });
    const said = await verdicts(client, 20);
    expect(said.slice(0, 5)).to.deep.equal([0, 1, 2, 3, 4]);
    const refused = said.filter((verdict) => verdict === 'rate-limited: slow down');
    expect(refused.length).to.be.within(10, 14);
    expect(relay.stats).to.include({ refused: refused.length, events: 20 - refused.length });
    const other = await connect();
    expect(await verdicts(other, 1)).to.deep.equal([0]);
  });
});
