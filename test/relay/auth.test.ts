// AUTH (NIP-42) in all the orders in which relays ask for it.
import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import type { Signer } from '../../src/crypto/signer.js';
import { MemoryRelay, type RelayBehaviour } from '../../src/relay/embedded/memory-relay.js';
import type { WebSocketLink } from '../../src/relay/link.js';
import { until } from '../support/until.js';
import { alice, bob, openLink, publish, recordingLog, ScriptedRelay, signed } from './helpers.js';

describe('relay link: AUTH', () => {
  const forBob = { kinds: [28333], '#p': [bob.pubkey], limit: 0 };
  const forBoth = { ...forBob, '#p': [bob.pubkey, alice.pubkey] };
  let relay: MemoryRelay;
  let link: WebSocketLink;
  let keys: Signer[];
  let lines: ReturnType<typeof recordingLog>['lines'];

  async function start(behaviour: Partial<RelayBehaviour>): Promise<void> {
    relay = await MemoryRelay.start({
      behaviour: { authRequired: true, muteUnheard: false, ...behaviour },
    });
    const recording = recordingLog();
    lines = recording.lines;
    keys = [bob];
    link = await openLink(relay.url, { authSigners: () => keys, log: recording.log });
  }

  function listen(filter = forBob) {
    const heard: NostrEvent[] = [];
    const reasons: string[] = [];
    const subscription = link.subscribe([filter], {
      isStanding: true,
      onEvent: (event) => heard.push(event),
      onClosed: (reason) => reasons.push(reason),
    });
    return { ...subscription, heard, reasons };
  }

  const hears = (heard: NostrEvent[], { id }: NostrEvent): Promise<void> =>
    until(() => heard.some((event) => event.id === id));

  afterEach(async () => {
    await link.close();
    await relay.close();
  });

  const ORDERS: Record<string, Partial<RelayBehaviour>> = {
    'on connecting': {},
    'behind a refusal': { authChallenge: 'behind refusals' },
    'without an answer to ours': { authUnanswered: true },
    'again and again': { authAgainAfter: 20 },
    'for what it delivers, too': { receiversOnly: true, authChallenge: 'behind refusals' },
  };
  for (const [order, behaviour] of Object.entries(ORDERS)) {
    it(`works, and is silent about it, where a relay asks ${order}`, async () => {
      await start(behaviour);
      const { heard, reasons } = listen();
      await until(() => relay.stats.subscriptions === 1);
      for (let count = 0; count < 30; count += 1) {
        const event = signed({}, bob);
        expect(await publish(link, event)).to.deep.equal({ ok: true, reason: '' });
        await until(() => relay.stats.subscriptions === 1);
      }
      const last = signed({}, bob);
      await publish(link, last);
      await hears(heard, last);
      expect(reasons).to.deep.equal([]);
      expect(lines).to.deep.equal([]);
    });
  }

  it('shows keys that come later, too', async () => {
    await start({ receiversOnly: true });
    const { heard, update } = listen();
    const first = signed({}, bob);
    await publish(link, first);
    await hears(heard, first);
    keys.push(alice);
    link.authenticate();
    update([forBoth]);
    const second = signed({ tags: [['p', alice.pubkey]] }, bob);
    await publish(link, second);
    await hears(heard, second);
  });

  it('waits for a challenge that comes a moment behind the refusal', async () => {
    await start({});
    let challenged = false;
    const late = await ScriptedRelay.start((ws, [verb, first]) => {
      const say = (...frame: unknown[]): void => ws.send(JSON.stringify(frame));
      if (verb === 'AUTH') {
        challenged = true;
        say('OK', (first as NostrEvent).id, true, '');
      } else if (verb === 'REQ' && challenged) say('EOSE', first);
      else if (verb === 'REQ') {
        say('CLOSED', first, 'auth-required: who are you?');
        setTimeout(() => say('AUTH', 'a challenge'), 300);
      }
    });
    const other = await openLink(late.url, { authSigners: () => keys });
    const reasons: string[] = [];
    await new Promise<void>((onEose) => {
      const onClosed = (reason: string): unknown => reasons.push(reason);
      other.subscribe([forBob], { onEvent: () => undefined, onEose, onClosed });
    });
    expect(reasons).to.deep.equal([]);
    await other.close();
    await late.close();
  });
});
