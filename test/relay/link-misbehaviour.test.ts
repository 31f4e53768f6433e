// A link against relays that misbehave: garbage, silence, refusals without end.
import { once } from 'node:events';
import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { WebSocketLink } from '../../src/relay/link.js';
import {
  alice,
  nowS,
  openLink,
  publish,
  recordingLog,
  ScriptedRelay,
  signed,
  silentLog,
} from './helpers.js';

describe('relay link, facing a relay that misbehaves', () => {
  let relay: ScriptedRelay;
  let link: WebSocketLink;

  afterEach(async () => {
    await link.close();
    await relay.close();
  });

  it('ignores garbage, counts it, and goes on', async () => {
    relay = await ScriptedRelay.start((ws, [verb, event]) => {
      if (verb === 'EVENT') ws.send(JSON.stringify(['OK', (event as NostrEvent).id, true, '']));
    });
    link = await openLink(relay.url);
    const [ws] = relay.sockets;
    const event = signed();
    const garbage = [
      ...['', '{', 'null', '7', '{}', '[]', '["EVENT"]', '["EVENT","x"]', '["EVENT","x",{}]'],
      ...['["OK",1,true]', `["OK","${event.id}","yes"]`, '["AUTH",{}]', '["WHAT","x"]'],
      JSON.stringify(['EVENT', 'x', { ...event, tags: [[1]] }]),
      Buffer.from([1, 2, 3]),
    ];
    for (const frame of garbage) ws?.send(frame);
    for (const frame of ['["EOSE","x"]', '["CLOSED","x"]', '["NOTICE","hello"]']) ws?.send(frame);
    expect((await publish(link, event)).ok).to.equal(true);
    expect(link.ignoredFrames).to.equal(garbage.length);
  });

  it('takes no frame over a megabyte', async () => {
    relay = await ScriptedRelay.start();
    link = await openLink(relay.url);
    const down = once(link, 'down');
    relay.sockets[0]?.send(JSON.stringify(['NOTICE', 'x'.repeat(1024 * 1024)]));
    await down;
  });

  it('survives a subscriber and a publisher that throw', async () => {
    relay = await ScriptedRelay.start((ws, [verb, id]) => {
      if (verb === 'REQ') ws.send(JSON.stringify(['EVENT', id, signed()]));
      if (verb === 'EVENT') ws.send(JSON.stringify(['OK', (id as NostrEvent).id, true, '']));
    });
    link = await openLink(relay.url);
    await new Promise<void>((resolve) => {
      const onEvent = (): void => {
        resolve();
        throw new Error('subscriber');
      };
      link.subscribe([{}], { onEvent });
    });
    link.publish(signed(), () => {
      throw new Error('publisher');
    });
    expect((await publish(link, signed())).ok).to.equal(true);
  });

  it('takes silence about an event for silence, and asks whether the relay is there', async () => {
    relay = await ScriptedRelay.start();
    link = await openLink(relay.url, { okTimeoutMs: 30 });
    const pinged = once(relay.sockets[0] as never, 'ping');
    expect(await publish(link, signed())).to.deep.equal({
      ok: false,
      reason: 'error: no answer',
      isUnanswered: true,
    });
    await pinged;
    expect(link.isUp).to.equal(true);
  });

  it('connects anew to a relay that confirmed events before, when nothing at all is heard', async () => {
    let isDead = false;
    relay = await ScriptedRelay.start((ws, [verb, event]) => {
      if (isDead || verb !== 'EVENT') return;
      ws.send(JSON.stringify(['OK', (event as NostrEvent).id, true, '']));
    });
    link = await openLink(relay.url, { okTimeoutMs: 30 });
    const down = once(link, 'down');
    expect((await publish(link, signed())).ok).to.equal(true);
    isDead = true;
    expect((await publish(link, signed())).isUnanswered).to.equal(true);
    expect(await down).to.deep.equal(['the relay does not answer']);
  });

  it('takes the word of a receiver for an OK, and learns that none has to be waited for', async () => {
    relay = await ScriptedRelay.start();
    const { log, lines } = recordingLog();
    link = await openLink(relay.url, { log });
    for (let count = 0; count < 16; count += 1) {
      const event = signed();
      const result = publish(link, event);
      link.delivered(event.id);
      expect(await result).to.deep.equal({ ok: true, reason: '' });
    }
    expect(link.habit).to.equal('delivers, never confirms');
    expect(lines.map(({ level }) => level)).to.deep.equal([30]);
    expect((await publish(link, signed())).isUnanswered).to.equal(true);
    expect(link.isUp).to.equal(true);
  });

  it('takes what came before a confirmed event for read, whatever became of it', async () => {
    let waited = 0;
    relay = await ScriptedRelay.start((ws, [verb, event]) => {
      if (verb !== 'EVENT' || ++waited < 3) return;
      ws.send(JSON.stringify(['OK', (event as NostrEvent).id, true, '']));
    });
    link = await openLink(relay.url);
    for (let count = 0; count < 2; count += 1) link.publish(signed());
    expect(link.unconfirmedBytes).to.be.above(0);
    expect((await publish(link, signed())).ok).to.equal(true);
    expect(link.unconfirmedBytes).to.equal(0);
  });

  it('keeps the connection when an event has no answer and others have', async () => {
    relay = await ScriptedRelay.start((ws) => ws.send('["NOTICE","still here"]'));
    link = await openLink(relay.url, { okTimeoutMs: 30 });
    expect((await publish(link, signed())).reason).to.equal('error: no answer');
    expect(link.isUp).to.equal(true);
    expect(relay.sockets).to.have.length(1);
  });

  it('drops a relay that does not even answer pings', async () => {
    relay = await ScriptedRelay.start(undefined, { autoPong: false });
    link = await openLink(relay.url, { keepAliveMs: 20 });
    expect(await once(link, 'down')).to.deep.equal(['the relay went silent']);
  });

  it('keeps an idle relay that answers pings', async () => {
    relay = await ScriptedRelay.start();
    link = await openLink(relay.url, { keepAliveMs: 20 });
    for (let pings = 0; pings < 4; pings++) await once(relay.sockets[0] as never, 'ping');
    expect(link.isUp).to.equal(true);
    expect(relay.sockets).to.have.length(1);
  });

  it('asks again, after a pause, for a subscription that the relay closed', async () => {
    let requests = 0;
    relay = await ScriptedRelay.start((ws, [verb, id]) => {
      if (verb === 'REQ')
        ws.send(JSON.stringify([++requests === 1 ? 'CLOSED' : 'EOSE', id, 'error: x']));
    });
    link = await openLink(relay.url);
    const said: string[] = [];
    await new Promise<void>((resolve) => {
      link.subscribe([{}], {
        onEvent: () => undefined,
        onClosed: (reason) => said.push(reason),
        onEose: resolve,
      });
    });
    expect(said).to.deep.equal(['error: x']);
  });

  it('does not hammer a relay that wants AUTH again and again', async () => {
    let requests = 0;
    relay = await ScriptedRelay.start((ws, [verb, first]) => {
      if (verb === 'AUTH') ws.send(JSON.stringify(['OK', (first as NostrEvent).id, true, '']));
      if (verb === 'EVENT') {
        ws.send(JSON.stringify(['OK', (first as NostrEvent).id, false, 'auth-required: more']));
      }
      if (verb !== 'REQ') return;
      requests++;
      ws.send(JSON.stringify(['AUTH', `challenge ${requests}`]));
      ws.send(JSON.stringify(['CLOSED', first, 'auth-required: more']));
    });
    link = await openLink(relay.url, { authSigners: () => [alice] });
    const reason = await new Promise((resolve) => {
      link.subscribe([{}], { onEvent: () => undefined, onClosed: resolve });
    });
    expect(reason).to.equal('auth-required: more');
    expect((await publish(link, signed({ created_at: nowS() }))).ok).to.equal(false);
    expect(requests).to.equal(2);
  });

  it('keeps trying a relay that is not there, and stops when it is closed', async () => {
    relay = await ScriptedRelay.start();
    const url = relay.url;
    await relay.close();
    link = new WebSocketLink({ url, log: silentLog });
    const [reason] = await once(link, 'unreachable');
    expect(reason).to.contain('ECONNREFUSED');
    await once(link, 'unreachable');
    expect(link.lastError).to.contain('ECONNREFUSED');
  });
});
