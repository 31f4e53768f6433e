// Subscriptions over relays that end them, refuse them or take a second REQ for one amiss.
import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { MemoryRelay, type RelayBehaviour } from '../../src/relay/embedded/memory-relay.js';
import type { WebSocketLink } from '../../src/relay/link.js';
import { until } from '../support/until.js';
import {
  alice,
  bob,
  nowS,
  openLink,
  publish,
  recordingLog,
  ScriptedRelay,
  signed,
} from './helpers.js';

describe('relay link: subscriptions', () => {
  const forBob = { kinds: [28333], '#p': [bob.pubkey], limit: 0 };
  const forBoth = { ...forBob, '#p': [bob.pubkey, alice.pubkey] };
  const toAlice = { tags: [['p', alice.pubkey]] };
  let relay: MemoryRelay;
  let links: WebSocketLink[];
  let lines: ReturnType<typeof recordingLog>['lines'];

  async function start(behaviour: Partial<RelayBehaviour>): Promise<WebSocketLink> {
    relay = await MemoryRelay.start({ behaviour: { muteUnheard: false, ...behaviour } });
    links = [];
    return open();
  }

  async function open(): Promise<WebSocketLink> {
    const recording = recordingLog();
    lines = recording.lines;
    const link = await openLink(relay.url, { log: recording.log });
    links.push(link);
    return link;
  }

  /** What a standing subscription hears. */
  function listen(link: WebSocketLink, filter = forBob) {
    const heard: NostrEvent[] = [];
    const reasons: string[] = [];
    const subscription = link.subscribe([filter], {
      isStanding: true,
      onEvent: (event) => heard.push(event),
      onClosed: (reason) => reasons.push(reason),
    });
    return { ...subscription, heard, reasons };
  }

  const heardBy = async (
    link: WebSocketLink,
    heard: NostrEvent[],
    template = {},
  ): Promise<void> => {
    const event = signed(template);
    await publish(link, event);
    await until(() => heard.some(({ id }) => id === event.id));
  };

  afterEach(async () => {
    for (const link of links) await link.close();
    await relay.close();
  });

  for (const sameId of ['replace', 'ignore', 'close'] as const) {
    it(`gets new filters served where a REQ with a known id is met by: ${sameId}`, async () => {
      const link = await start({ sameId });
      const { heard, update } = listen(link);
      await heardBy(link, heard);
      update([forBoth]);
      await heardBy(link, heard, toAlice);
      await heardBy(link, heard);
      await until(() => relay.stats.subscriptions === 1);
      expect(lines).to.deep.equal([]);
    });
  }

  it('gets new filters served where there is room for one subscription', async () => {
    const link = await start({ maxSubscriptions: 1 });
    const { heard, update, reasons } = listen(link);
    await heardBy(link, heard);
    update([forBoth]);
    await until(() => {
      link.publish(signed(toAlice));
      return heard.some(({ tags }) => tags[0]?.[1] === alice.pubkey);
    });
    expect(relay.stats.subscriptions).to.equal(1);
    expect(reasons).to.deep.equal([]);
  });

  it('hears all that comes while the filters change again and again', async () => {
    const link = await start({});
    const { heard, update } = listen(link);
    await heardBy(link, heard);
    const events = Array.from({ length: 50 }, () => signed());
    const published = events.map((event, index) => {
      if (index % 5 === 0) update([index % 2 === 0 ? forBob : forBoth]);
      return publish(link, event);
    });
    await Promise.all(published);
    await until(() => events.every(({ id }) => heard.some((event) => event.id === id)));
    await until(() => relay.stats.subscriptions === 1);
  });

  for (const refusals of ['named', 'notice'] as const) {
    it(`says once that the relay ends a subscription, and goes on trying: ${refusals}`, async () => {
      const link = await start({ refusals, maxSubscriptions: 0 });
      const { heard, reasons } = listen(link);
      await until(() => reasons.length === 2);
      expect(link.deafness).to.equal('error: too many concurrent REQs');
      expect(lines.map(({ level }) => level)).to.deep.equal([40]);
      relay.behaviour.maxSubscriptions = 10;
      await until(() => link.deafness === undefined);
      await heardBy(link, heard);
      expect(lines.map(({ level }) => level)).to.deep.equal([40, 30]);
    }).timeout(10_000);
  }

  it('says nothing of a query that is refused', async () => {
    const link = await start({ maxSubscriptions: 0 });
    await new Promise((resolve) => {
      link.subscribe([{ kinds: [1] }], { onEvent: () => undefined, onClosed: resolve });
    });
    expect(link.deafness).to.equal(undefined);
    expect(lines).to.deep.equal([]);
  });

  for (const limitZero of ['refused', 'ends'] as const) {
    for (const refusals of ['named', 'notice'] as const) {
      it(`hears what is new, and that alone, where limit 0 is ${limitZero} (${refusals})`, async () => {
        const link = await start({ limitZero, refusals, replayEphemerals: true });
        const old = [signed({ created_at: nowS() - 30 }), signed({ created_at: nowS() - 2 })];
        for (const event of old) await publish(link, event);
        const { heard, reasons } = listen(link);
        await until(() => lines.length === 1 && relay.stats.subscriptions === 1);
        expect(lines[0]).to.include({ level: 30, habit: 'refuses limit 0' });
        await heardBy(link, heard, { created_at: nowS() - 20 });
        expect(heard.filter(({ id }) => old.some((event) => event.id === id))).to.deep.equal([]);
        expect(reasons).to.deep.equal([]);
      });
    }
  }

  it('counts a subscription as served where neither EOSE nor CLOSED comes', async () => {
    const link = await start({ eoseUnlessZero: true });
    const { heard, update } = listen(link);
    await heardBy(link, heard);
    update([forBoth]);
    await heardBy(link, heard, toAlice);
    await until(() => relay.stats.subscriptions === 1);
    update([forBob]);
    await heardBy(link, heard);
  }).timeout(10_000);

  it('takes no notice of notices about other things', async () => {
    const link = await start({});
    const scripted = await ScriptedRelay.start((ws, [verb, id]) => {
      if (verb !== 'REQ') return;
      ws.send(JSON.stringify(['NOTICE', 'welcome to this relay']));
      setTimeout(() => ws.send(JSON.stringify(['EVENT', id, signed()])), 50);
    });
    const other = await openLink(scripted.url);
    links.push(other);
    const { heard, reasons } = listen(other);
    await until(() => heard.length === 1);
    expect(reasons).to.deep.equal([]);
    await Promise.all([other.close(), link.close()]);
    await scripted.close();
  });
});
