// What web servers in front of relays answer to a handshake: redirects, refusals, and who asks.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { MAX_REDIRECTS, readAnswer } from '../../../src/relay/connection/handshake.js';
import { MemoryRelay, type RelayBehaviour } from '../../../src/relay/embedded/memory-relay.js';
import { WebSocketLink } from '../../../src/relay/link.js';
import { alice, openLink, publish, signed, silentLog } from '../helpers.js';

describe('relay link, behind a web server', () => {
  let front: MemoryRelay;
  let relay: MemoryRelay;
  let link: WebSocketLink | undefined;

  beforeEach(async () => {
    front = await MemoryRelay.start();
    relay = await MemoryRelay.start();
  });
  afterEach(async () => {
    await link?.close();
    await front.close();
    await relay.close();
  });

  async function failure(behaviour: Partial<RelayBehaviour>): Promise<string> {
    Object.assign(front.behaviour, behaviour);
    link = new WebSocketLink({ url: front.url, log: silentLog });
    const [reason] = await once(link, 'unreachable');
    return reason;
  }

  it('says who asks', async () => {
    relay.behaviour.wantsUserAgent = true;
    link = await openLink(relay.url);
    expect(link.isUp).to.equal(true);
  });

  for (const status of [301, 302, 307, 308]) {
    it(`follows a redirect with ${status}, and authenticates where it leads`, async () => {
      relay.behaviour.authRequired = true;
      front.behaviour.redirect = { status, location: relay.url.replace('ws:', 'http:') };
      link = await openLink(front.url, { authSigners: () => [alice] });
      expect((await publish(link, signed({ kind: 1 }))).ok).to.equal(true);
      expect([front.stats.connections, relay.stats.connections]).to.deep.equal([0, 1]);
      expect(link.url).to.equal(front.url);
    });
  }

  it('asks at the first address again when the connection is lost', async () => {
    front.behaviour.redirect = { status: 307, location: relay.url };
    link = await openLink(front.url);
    front.behaviour.redirect = undefined;
    const up = once(link, 'up');
    relay.disconnectAll();
    await up;
    expect([front.stats.connections, relay.stats.connections]).to.deep.equal([1, 0]);
  });

  it('follows no circle', async () => {
    const redirect = { status: 302, location: front.url };
    expect(await failure({ redirect })).to.equal(`more than ${MAX_REDIRECTS} redirects`);
  });

  it('says what the server answers instead of a WebSocket', async () => {
    const redirect = { status: 403, location: '' };
    expect(await failure({ redirect })).to.equal('the server refuses the WebSocket: 403 Forbidden');
    expect(link?.lastError).to.equal('the server refuses the WebSocket: 403 Forbidden');
  });

  it('says what is wrong with a redirect', async () => {
    const redirect = { status: 301, location: 'mailto:nobody@example.com' };
    expect(await failure({ redirect })).to.match(/^301 Moved Permanently to what is no relay/);
  });

  it('goes on where a redirect leads to what can not be dialled', async () => {
    const location = 'ws://a.invalid:1/#x';
    expect(await failure({ redirect: { status: 302, location } })).to.match(/ENOTFOUND|EAI_AGAIN/);
  });

  it('never follows from wss to ws', () => {
    const response = {
      statusCode: 308,
      statusMessage: 'Permanent Redirect',
      headers: { location: 'http://relay.example/' },
    } as IncomingMessage;
    expect(readAnswer(response, 'wss://relay.example/', 0)).to.deep.equal({
      failure: '308 Permanent Redirect from wss to ws, which is not followed: ws://relay.example/',
    });
    expect(readAnswer(response, 'ws://relay.example/', 0)).to.deep.equal({
      redirect: 'ws://relay.example/',
    });
  });

  it('hands on when to ask again', () => {
    const headers = { 'retry-after': '120' };
    const response = { statusCode: 429, statusMessage: 'Too Many Requests', headers };
    expect(readAnswer(response as unknown as IncomingMessage, 'wss://relay.example/', 0))
      .to.have.property('failure')
      .that.matches(/429 Too Many Requests, and wants to be asked again after 120$/);
  });
});
