// The certificate event on its way to relays that come and go.

import { expect } from 'chai';
import { pino } from 'pino';
import { createSigner, generateSecretKey } from '../../../src/crypto/signer.js';
import { Announcer } from '../../../src/exit/announcing/announce.js';
import { certificateEvent } from '../../../src/protocol/wire/events.js';
import { FakeLink } from './fake-link.js';

describe('exit/announce', () => {
  const signer = createSigner(generateSecretKey());
  const event = signer.sign(certificateEvent('PEM', signer.pubkey, 'ff', 1));
  let lines: { level: number; relay: string }[];
  let links: [FakeLink, FakeLink];
  let announcer: Announcer;

  beforeEach(() => {
    lines = [];
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    links = [new FakeLink('ws://a'), new FakeLink('ws://b')];
    links[0].isUp = true;
    announcer = new Announcer([event], links, log);
  });
  afterEach(() => announcer.close());

  it('publishes at once where a relay is up, and elsewhere when it comes up', () => {
    expect(links.map(({ published }) => published.length)).to.deep.equal([1, 0]);
    links[1].up();
    expect(links[1].published[0]?.event).to.equal(event);
  });

  it('publishes again whenever a relay comes back', () => {
    links[0].up();
    links[0].up();
    expect(links[0].published).to.have.length(3);
  });

  it('tells when the first relay has taken it, not when one refuses', async () => {
    let isAccepted = false;
    void announcer.accepted.then(() => (isAccepted = true));
    links[0].published[0]!.answer({ ok: false, reason: 'blocked: no' });
    await new Promise(setImmediate);
    expect(isAccepted).to.equal(false);
    links[1].up();
    links[1].published[0]!.answer({ ok: true, reason: '' });
    await announcer.accepted;
  });

  it('logs each relay once, and once more when its answer changes', () => {
    const { answer } = links[0].published[0]!;
    answer({ ok: true, reason: '' });
    answer({ ok: true, reason: 'duplicate: have it' });
    answer({ ok: false, reason: 'error: the link went down' });
    expect(lines.map(({ level, relay }) => [level, relay])).to.deep.equal([[30, 'ws://a']]);
    answer({ ok: false, reason: 'rate-limited: slow down' });
    answer({ ok: false, reason: 'rate-limited: slow down' });
    answer({ ok: true, reason: '' });
    expect(lines.map(({ level }) => level)).to.deep.equal([30, 40, 30]);
  });

  it('leaves nothing on the links when it closes', () => {
    announcer.close();
    links[1].up();
    expect(links[1].published).to.deep.equal([]);
    expect(links.map((link) => link.listenerCount('up'))).to.deep.equal([0, 0]);
  });
});
