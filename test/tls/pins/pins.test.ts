import { expect } from 'chai';
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { matchFilter } from 'nostr-tools';
import pino from 'pino';
import { NwsError } from '../../../src/errors.js';
import { PinResolver, PinStore } from '../../../src/tls/pins/pins.js';
import {
  certificateTemplate,
  forged,
  newSigner,
  nowS,
  selfSigned,
  signedCertificate,
  temporaryHome,
} from '../support.js';

const URLS = ['ws://127.0.0.1:1'];
const { pubkey, ...signer } = newSigner();
const exit = { pubkey, ...signer };
const older = signedCertificate(exit, [selfSigned()], nowS() - 100);
const newer = signedCertificate(exit, [selfSigned()], nowS() - 50);

/** Relays that hold `events` and, unless told to be honest, hand out all of them whatever is asked. */
class FakeRelays {
  events: NostrEvent[] = [];
  isHonest = true;
  isDown = false;
  queries = 0;

  async query(_urls: readonly string[], filter: Filter): Promise<NostrEvent[]> {
    this.queries += 1;
    if (this.isDown) throw new NwsError('relay_unreachable', 'no relay answers');
    return this.events.filter((event) => !this.isHonest || matchFilter(filter, event));
  }
}

describe('PinResolver', () => {
  const home = temporaryHome();
  let relays: FakeRelays;
  let store: PinStore;
  let pins: PinResolver;
  let warnings: string[];
  beforeEach(async () => {
    relays = new FakeRelays();
    store = await PinStore.open(home());
    warnings = [];
    const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
    pins = new PinResolver({ store, source: relays, log });
  });

  const idOf = async (fresh = false) => (await pins.pinFor(pubkey, URLS, { fresh }))?.eventId;
  const refusal = async () => {
    const error = await pins.pinFor(pubkey, URLS).then(
      () => expect.fail('should have been refused'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof NwsError)) throw error;
    return error;
  };

  it('takes the newest event and records it', async () => {
    relays.events = [older, newer];
    expect(await idOf()).to.equal(newer.id);
    expect(store.get(pubkey)?.eventId).to.equal(newer.id);
    expect(warnings).to.deep.equal([]);
  });

  it('does not believe relays that offer an older event than the one on record', async () => {
    store.offer(newer);
    relays.events = [older];
    expect(await idOf()).to.equal(newer.id);
    expect(warnings.join()).to.include('older').and.to.include(URLS[0]).and.to.include(pubkey);
  });

  it('takes a valid event from among forged and foreign ones', async () => {
    relays.isHonest = false;
    const foreign = signedCertificate(newSigner(), [selfSigned()]);
    relays.events = [forged(newer), foreign, older];
    expect(await idOf()).to.equal(older.id);
    expect(store.get(foreign.pubkey)).to.equal(undefined);
  });

  it('ignores what others made: forged events are as good as none', async () => {
    relays.isHonest = false;
    relays.events = [forged(newer)];
    expect(await idOf()).to.equal(undefined);
  });

  it('ignores what somebody else has signed for the exit, however relays answer', async () => {
    const impostor = newSigner();
    relays.events = [impostor.sign(certificateTemplate(exit, [selfSigned()]))];
    for (const isHonest of [true, false]) {
      relays.isHonest = isHonest;
      expect(await idOf(true)).to.equal(undefined);
    }
  });

  it('finds the own event behind hundreds of newer ones of strangers', async () => {
    const impostor = newSigner();
    const strangers = Array.from({ length: 500 }, () =>
      impostor.sign(certificateTemplate(exit, [selfSigned()])),
    );
    relays.isHonest = false;
    relays.events = [...strangers, newer];
    expect(await idOf()).to.equal(newer.id);
  });

  it('refuses when the exit signed what is no certificate', async () => {
    const { tags: _tags, ...template } = certificateTemplate(exit, [selfSigned()]);
    relays.events = [exit.sign({ ...template, tags: [], content: 'garbage' })];
    expect((await refusal()).message).to.include('no certificate');
  });

  it('keeps to the record against garbage, forgeries and silence', async () => {
    store.offer(older);
    relays.isHonest = false;
    for (const events of [[forged(newer)], []]) {
      relays.events = events;
      expect(await idOf(true)).to.equal(older.id);
    }
  });

  it('answers undefined when there is no event and no record', async () => {
    expect(await idOf()).to.equal(undefined);
  });

  it('keeps to the record when no relay answers, and says so', async () => {
    store.offer(older);
    relays.isDown = true;
    expect(await idOf()).to.equal(older.id);
    expect(warnings.join()).to.include('no relay answers');
  });

  it('passes the error on when no relay answers and nothing is on record', async () => {
    relays.isDown = true;
    expect(await refusal()).to.include({ code: 'relay_unreachable' });
    relays.isDown = false;
    relays.events = [newer];
    expect(await idOf()).to.equal(newer.id);
  });

  it('asks once for lookups at the same time, and not again while the answer holds', async () => {
    relays.events = [newer];
    const ids = await Promise.all([idOf(), idOf(), idOf(true)]);
    expect(new Set(ids)).to.deep.equal(new Set([newer.id]));
    await idOf();
    expect(relays.queries).to.equal(1);
  });

  it('asks again when the caller wants it fresh', async () => {
    relays.events = [older];
    expect(await idOf()).to.equal(older.id);
    relays.events = [newer];
    expect(await idOf()).to.equal(older.id);
    expect(await idOf(true)).to.equal(newer.id);
    expect(await idOf()).to.equal(newer.id);
  });

  it('holds "none" for a short while only, and "found" for longer', async () => {
    const realNow = Date.now;
    const startMs = realNow();
    try {
      Date.now = () => startMs;
      expect(await idOf()).to.equal(undefined);
      relays.events = [older];
      expect(await idOf()).to.equal(undefined);
      Date.now = () => startMs + 10_001;
      expect(await idOf()).to.equal(older.id);
      relays.events = [newer];
      Date.now = () => startMs + 300_000;
      expect(await idOf()).to.equal(older.id);
      Date.now = () => startMs + 310_002;
      expect(await idOf()).to.equal(newer.id);
    } finally {
      Date.now = realNow;
    }
  });

  it('does not take "none" at one relay for "none" at another', async () => {
    expect(await pins.pinFor(pubkey, ['ws://127.0.0.1:2'])).to.equal(undefined);
    relays.events = [newer];
    expect(await idOf()).to.equal(newer.id);
  });

  it('finds the newest event behind many older ones', async () => {
    const certificates = [selfSigned()];
    const many = Array.from({ length: 20 }, (_, age) =>
      signedCertificate(exit, certificates, nowS() - 1_000 - age),
    );
    relays.events = [...many, newer];
    expect(await idOf()).to.equal(newer.id);
  });

  it('does not look at thousands of events', async () => {
    relays.isHonest = false;
    relays.events = [...Array.from({ length: 1_000 }, () => forged(newer)), older];
    expect(await idOf()).to.equal(undefined);
  });
});
