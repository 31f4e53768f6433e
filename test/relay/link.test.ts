// A link against the embedded relay: publishing, subscribing, pacing, going down and coming back.
import { once } from 'node:events';
import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { MAX_UNCONFIRMED_BYTES } from '../../src/limits.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import { WebSocketLink } from '../../src/relay/link.js';
import { alice, bob, openLink, publish, recordingLog, signed, silentLog } from './helpers.js';

describe('relay link', () => {
  const forBob = { kinds: [28333], '#p': [bob.pubkey], limit: 0 };
  let relay: MemoryRelay;
  let links: WebSocketLink[];

  async function open(options: Parameters<typeof openLink>[1] = {}): Promise<WebSocketLink> {
    const link = await openLink(relay.url, options);
    links.push(link);
    return link;
  }

  beforeEach(async () => {
    relay = await MemoryRelay.start();
    links = [];
  });

  afterEach(async () => {
    for (const link of links) await link.close();
    await relay.close();
  });

  it('publishes and delivers, and measures how long OK takes', async () => {
    const [sender, receiver] = [await open(), await open()];
    const received = new Promise<NostrEvent>((resolve) => {
      receiver.subscribe([forBob], { onEvent: resolve, onEose: () => sender.publish(event) });
    });
    const event = signed();
    expect(await received).to.deep.equal(event);
    expect(await publish(sender, signed())).to.deep.equal({ ok: true, reason: '' });
    expect(sender.okLatencyMs).to.be.within(0, 1_000);
    expect(sender.unconfirmedBytes).to.equal(0);
  });

  it('hands on the reason of a refusal', async () => {
    const link = await open();
    const result = await publish(link, signed());
    expect(result).to.deep.equal({ ok: false, reason: 'mute: no one was listening' });
  });

  it('never answers a publication before publish() returns', async () => {
    const link = new WebSocketLink({ url: relay.url, log: silentLog });
    links.push(link);
    let results = 0;
    const answered = new Promise<void>((resolve) => {
      link.publish(signed(), ({ ok, reason }) => {
        results++;
        expect(ok).to.equal(false);
        expect(reason).to.match(/^error: /);
        resolve();
      });
    });
    expect(results).to.equal(0);
    await answered;
  });

  it('answers each of two publications of one event, which it sends once', async () => {
    const link = await open();
    const event = signed({ kind: 1 });
    const results = await Promise.all([publish(link, event), publish(link, event)]);
    expect(results.map(({ reason }) => reason)).to.deep.equal(['', '']);
  });

  it('comes back after a restart of the relay, and asks again for what it subscribed to', async () => {
    const [sender, receiver] = [await open(), await open()];
    const port = Number(new URL(relay.url).port);
    const received: string[] = [];
    const subscription = receiver.subscribe([{ kinds: [1] }], {
      onEvent: (event) => received.push(event.id),
    });
    const gone = receiver.subscribe([{ kinds: [2] }], { onEvent: () => received.push('gone') });
    gone.close();
    subscription.update([forBob]);
    const down = [once(sender, 'down'), once(receiver, 'down')];
    await relay.close();
    await Promise.all(down);
    expect(sender.isUp).to.equal(false);
    expect(sender.lastError).to.be.a('string');
    const up = [once(sender, 'up'), once(receiver, 'up')];
    relay = await MemoryRelay.start({ port });
    for (const link of links) link.kick();
    await Promise.all(up);
    expect(sender.lastError).to.equal(undefined);
    const event = signed();
    expect((await publish(receiver, event)).ok).to.equal(true); // behind the REQ, on the same connection
    expect(received).to.deep.equal([event.id]);
    expect(relay.stats.subscriptions).to.equal(1);
  });

  it('fails what is unconfirmed when the relay goes', async () => {
    relay.behaviour.silent = true;
    const link = await open();
    const event = signed({ kind: 1 });
    const result = publish(link, event);
    await once(relay, 'event');
    expect(link.unconfirmedBytes).to.be.above(JSON.stringify(event).length);
    relay.disconnectAll();
    expect((await result).reason).to.match(/^error: /);
    expect(link.unconfirmedBytes).to.equal(0);
  });

  it('waits a moment for answers to what was said last before it hangs up', async () => {
    Object.assign(relay.behaviour, { muteUnheard: false, writeBatchMs: 50 });
    const link = await open();
    const result = publish(link, signed());
    await link.close();
    expect(await result).to.deep.equal({ ok: true, reason: '' });
  });

  it('fails what is unconfirmed when it is closed, and leaves nothing behind', async () => {
    relay.behaviour.silent = true;
    const link = await open();
    const result = publish(link, signed({ kind: 1 }));
    await link.close();
    expect(await result).to.deep.equal({ ok: false, reason: 'error: the link was closed' });
    expect(link.isUp).to.equal(false);
    expect((await publish(link, signed({ kind: 1 }))).ok).to.equal(false);
  });

  it('stops at the pacing bound, and says drain when there is room', async () => {
    const link = await open();
    const content = 'x'.repeat(40_000);
    let published = 0;
    let answered: Promise<unknown> | undefined;
    const fill = (): void => {
      while (link.canPublish) {
        answered = publish(link, signed({ kind: 1, content: `${published++}${content}` }));
      }
    };
    const drained = once(link, 'drain');
    fill();
    const least = MAX_UNCONFIRMED_BYTES / 4;
    expect(link.unconfirmedBytes).to.be.within(least, least * 1.1);
    await drained;
    expect(link.canPublish).to.equal(true);
    await answered;
    fill();
    expect(link.unconfirmedBytes).to.be.within(least, MAX_UNCONFIRMED_BYTES * 1.1);
  });

  it('refuses what would cost it the connection, without a try', async () => {
    const link = await open();
    const result = await publish(link, signed({ kind: 1, content: 'x'.repeat(140_000) }));
    expect(result.reason).to.equal('error: the event is larger than the relay takes');
    expect(link.isUp).to.equal(true);
  });

  it('refuses to pile up without end for a publisher that ignores canPublish', async () => {
    relay.behaviour.silent = true;
    const link = await open();
    const content = 'x'.repeat(120_000);
    const refused = new Promise<string>((resolve) => {
      const refusal = ({ reason }: { reason: string }) => resolve(reason);
      for (let n = 0; n < 160; n++) link.publish(signed({ content: `${n}${content}` }), refusal);
    });
    expect(await refused).to.equal('error: too much is waiting for this relay');
    expect(link.unconfirmedBytes).to.be.at.most(4 * MAX_UNCONFIRMED_BYTES);
  });

  it('authenticates when it is told to, and does again what was refused before', async () => {
    relay.behaviour.authRequired = true;
    const link = await open({ authSigners: () => [alice] });
    const event = signed();
    const received = new Promise<NostrEvent>((resolve) => {
      link.subscribe([forBob], {
        onEvent: resolve,
        onEose: () => link.publish(event),
        onClosed: (reason) => expect.fail(reason),
      });
    });
    expect((await publish(link, signed({ kind: 1 }))).ok).to.equal(true);
    expect(await received).to.deep.equal(event);
  });

  it('authenticates where the relay asks for it only later', async () => {
    const link = await open({ authSigners: () => [alice] });
    relay.behaviour.authRequired = true;
    expect(await publish(link, signed({ kind: 1 }))).to.deep.equal({ ok: true, reason: '' });
  });

  it('gives the refusal on when nobody signs for it', async () => {
    relay.behaviour.authRequired = true;
    const link = await open();
    expect((await publish(link, signed({ kind: 1 }))).reason).to.match(/^auth-required:/);
    const reason = await new Promise((resolve) => {
      link.subscribe([forBob], { onEvent: () => undefined, onClosed: resolve });
    });
    expect(reason).to.match(/^auth-required:/);
  });

  it('takes a smaller limit from NIP-11', async () => {
    const small = await MemoryRelay.start({ maxEventBytes: 20_000 });
    const link = await openLink(small.url);
    expect(link.eventLimitBytes).to.equal(65_536);
    while (link.eventLimitBytes !== 20_000) await new Promise((resolve) => setImmediate(resolve));
    await link.close();
    await small.close();
  });

  it('logs one line when the relay goes and one when it is back, however many attempts it takes', async () => {
    const { log, lines } = recordingLog();
    const link = await open({ log });
    const port = Number(new URL(relay.url).port);
    const attempts = [once(link, 'down'), once(link, 'unreachable')];
    await relay.close();
    await Promise.all(attempts);
    await once(link, 'unreachable');
    const up = once(link, 'up');
    relay = await MemoryRelay.start({ port });
    await up;
    expect(lines.map(({ level, msg }) => [level, msg])).to.deep.equal([
      [40, 'relay lost'],
      [30, 'relay is reachable again'],
    ]);
  });
});
