// What an exit publishes of itself says whether it speaks reliable streams: asked for once a minute at most.

import { expect } from 'chai';
import type { EventTemplate, Event as NostrEvent } from 'nostr-tools';
import { createSigner, generateSecretKey, type Signer } from '../../src/crypto/signer.js';
import { announcementEvent, certificateEvent, KIND } from '../../src/protocol/wire/events.js';
import { type PeerKind, PeerKinds } from '../../src/proxy/peer-kinds.js';

const RELAYS = ['ws://127.0.0.1:7777'];
const MINUTE_MS = 60_000;
/** Exits that are remembered. */
const MAX_LOOKED = 1_024;

describe('proxy: whether an exit speaks reliable streams', () => {
  const exit = createSigner(generateSecretKey());
  const nowS = Math.floor(Date.now() / 1_000);
  let events: readonly NostrEvent[];
  let asked: { relays: readonly string[]; filter: object }[];
  let told: PeerKind[];
  let now: number;
  let kinds: PeerKinds;

  beforeEach(() => {
    [events, asked, told, now] = [[], [], [], 0];
    const source = {
      query: async (relays: readonly string[], filter: object) => {
        asked.push({ relays, filter });
        return [...events];
      },
    };
    kinds = new PeerKinds(
      source,
      (kind) => told.push(kind),
      () => now,
    );
  });

  const silent = (template: EventTemplate): EventTemplate => ({
    ...template,
    tags: template.tags.filter(([name]) => name !== 'nws'),
  });
  const certificate = (ageS: number): EventTemplate =>
    certificateEvent('pem', exit.pubkey, 'f', nowS - ageS);
  const announcement = (ageS: number, livesS = 3_600): EventTemplate =>
    announcementEvent(nowS - ageS, nowS - ageS + livesS);

  /** What is told of an exit that has published these. */
  async function look(templates: readonly EventTemplate[], by: Signer = exit): Promise<PeerKind[]> {
    events = templates.map((template) => by.sign(template));
    void kinds.look(exit.pubkey, RELAYS);
    await new Promise(setImmediate);
    return told;
  }
  const says = (reliable: boolean): PeerKind[] => [
    { pubkey: exit.pubkey, reliable, version: reliable ? 2 : 0 },
  ];

  it('is asked of the relays of its name', async () => {
    await look([]);
    const wanted = [KIND.announcement, KIND.certificate];
    const filter = { kinds: wanted, authors: [exit.pubkey], limit: 2 };
    expect(asked).to.deep.equal([{ relays: RELAYS, filter }]);
  });

  it('is given to whoever asks, as it was found before while it is looked for anew', async () => {
    const ask = () => kinds.look(exit.pubkey, RELAYS);
    expect(await ask()).to.equal(undefined);
    events = [exit.sign(certificate(5))];
    now += MINUTE_MS;
    expect(await ask()).to.equal(undefined);
    expect([await ask()]).to.deep.equal(says(true));
    expect(asked).to.have.length(2);
  });

  it('is known by the sign in its certificate or its announcement', async () => {
    expect(await look([certificate(5)])).to.deep.equal(says(true));
  });

  it('is known by the sign in its announcement alone', async () => {
    expect(await look([announcement(5)])).to.deep.equal(says(true));
  });

  it('is denied by what has no sign', async () => {
    expect(await look([silent(announcement(5))])).to.deep.equal(says(false));
  });

  it('is decided by the newest', async () => {
    const templates = [certificate(100), silent(announcement(5))];
    expect(await look(templates)).to.deep.equal(says(false));
    now += MINUTE_MS;
    told = [];
    expect(await look([silent(certificate(100)), announcement(5)])).to.deep.equal(says(true));
  });

  it('is not decided by what has expired, newest or not', async () => {
    const expired = silent(announcement(50, 10));
    expect(await look([certificate(100), expired])).to.deep.equal(says(true));
  });

  it('stays unknown where nothing is found, or nothing of its own', async () => {
    expect(await look([])).to.deep.equal([]);
    now += MINUTE_MS;
    expect(await look([certificate(5)], createSigner(generateSecretKey()))).to.deep.equal([]);
    now += MINUTE_MS;
    const note = { kind: 1, created_at: nowS, tags: [['nws', '1']], content: '' };
    expect(await look([note, announcement(50, 10)])).to.deep.equal([]);
    expect(asked).to.have.length(3);
  });

  it('stays unknown where no relay answers, and nobody is the worse for it', async () => {
    const failing = new PeerKinds({ query: () => Promise.reject(new Error('no relay')) }, (kind) =>
      told.push(kind),
    );
    failing.look(exit.pubkey, RELAYS);
    await new Promise(setImmediate);
    expect(told).to.deep.equal([]);
  });

  it('is looked for once a minute, each exit by itself', async () => {
    await look([]);
    now += MINUTE_MS - 1;
    await look([certificate(5)]);
    expect([asked.length, told]).to.deep.equal([1, []]);
    kinds.look('b'.repeat(64), RELAYS);
    expect(asked).to.have.length(2);
    now += 1;
    expect(await look([certificate(5)])).to.deep.equal(says(true));
  });

  it('is forgotten past the bound, the exit that was looked for longest ago first', () => {
    const named = (index: number): string => index.toString(16).padStart(64, '0');
    const looked = (index: number): boolean => {
      const before = asked.length;
      kinds.look(named(index), RELAYS);
      return asked.length > before;
    };
    for (let index = 0; index < MAX_LOOKED; index += 1) expect(looked(index)).to.equal(true);
    for (let index = 0; index < MAX_LOOKED; index += 1) expect(looked(index)).to.equal(false);
    now += MINUTE_MS;
    expect(looked(0)).to.equal(true); // and so 1 is the oldest
    expect(looked(MAX_LOOKED)).to.equal(true);
    expect(looked(0)).to.equal(false);
    now -= MINUTE_MS;
    expect([looked(2), looked(1)]).to.deep.equal([false, true]);
  });
});
