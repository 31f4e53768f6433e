// A public exit's announcements: their rhythm, and where they go.

import { expect } from 'chai';
import { pino } from 'pino';
import { createSigner, generateSecretKey } from '../../../src/crypto/signer.js';
import { Heartbeat } from '../../../src/exit/announcing/heartbeat.js';
import {
  isExpired,
  KIND,
  speaksReliableStreams,
  tagValue,
} from '../../../src/protocol/wire/events.js';
import { until } from '../../support/until.js';
import { FakeLink } from './fake-link.js';

const realNow = Date.now;

describe('exit/heartbeat', () => {
  const signer = createSigner(generateSecretKey());
  let lines: { level: number; relay: string; msg: string }[];
  let links: [FakeLink, FakeLink];
  let heartbeat: Heartbeat | undefined;

  beforeEach(() => {
    lines = [];
    links = [new FakeLink('ws://a'), new FakeLink('ws://b')];
    links[0].isUp = true;
  });
  afterEach(() => {
    Date.now = realNow;
    heartbeat?.close();
  });

  function start(intervalS?: number): void {
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    heartbeat = new Heartbeat({ signer, links, log, intervalS });
  }

  const eventsOf = (link: FakeLink) => link.published.map(({ event }) => event);

  it('announces at once where a relay is up, for ten seconds', () => {
    start();
    expect(links.map(({ published }) => published.length)).to.deep.equal([1, 0]);
    const [event] = eventsOf(links[0]);
    expect(event).to.include({ kind: KIND.announcement, pubkey: signer.pubkey, content: '' });
    expect(Number(tagValue(event!, 'expiration')) - event!.created_at).to.equal(10);
    expect(event!.created_at).to.be.closeTo(Date.now() / 1_000, 2);
    expect(speaksReliableStreams(event!)).to.equal(true);
  });

  it('gives a relay that comes up what the others have, however often it comes', () => {
    start();
    for (let times = 0; times < 5; times += 1) links[1].up();
    expect(new Set([...eventsOf(links[0]), ...eventsOf(links[1])])).to.have.property('size', 1);
    expect(links[1].published).to.have.length(5);
  });

  it('waits for a relay where none is up', () => {
    links[0].isUp = false;
    start();
    links[1].up();
    expect(links.map(({ published }) => published.length)).to.deep.equal([0, 1]);
  });

  it('makes a new one when the last has expired unseen', () => {
    start();
    const at = realNow() + 60_000;
    Date.now = () => at;
    links[0].isUp = false;
    links[1].up();
    const [event] = eventsOf(links[1]);
    expect(isExpired(event!, Math.floor(at / 1_000))).to.equal(false);
  });

  it('announces again each time the last one ends, later each time, also when the clock goes back', async () => {
    start(1);
    await until(() => links[0].published.length === 2);
    const at = realNow() - 60_000;
    Date.now = () => at;
    await until(() => links[0].published.length === 3);
    const times = eventsOf(links[0]).map(({ created_at }) => created_at);
    expect(times.toSorted((a, b) => a - b)).to.deep.equal(times);
    expect(new Set(times)).to.have.property('size', 3);
  });

  it('logs a relay once, and once more when its answer changes', () => {
    start();
    const { answer } = links[0].published[0]!;
    for (const seconds of [3, 2]) {
      answer({ ok: true, reason: '' });
      answer({ ok: false, reason: 'error: the link went down' });
      answer({ ok: true, reason: '' });
      answer({ ok: false, reason: `rate-limited: wait ${seconds} s` });
      answer({ ok: false, reason: `rate-limited: wait ${seconds - 1} s` });
    }
    expect(lines.map(({ level }) => level)).to.deep.equal([30, 40, 30, 40]);
    expect(lines[0]).to.include({ relay: 'ws://a', msg: 'announcement published' });
  });

  it('leaves nothing on the links when it closes', () => {
    start();
    heartbeat?.close();
    links[1].up();
    expect(links[1].published).to.deep.equal([]);
    expect(links.map((link) => link.listenerCount('up'))).to.deep.equal([0, 0]);
  });
});
