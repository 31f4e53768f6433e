// The small parts of this room that can be tried alone: back-off, event store, filter index, seeded random.
import { expect } from 'chai';
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import { Backoff } from '../../src/relay/connection/backoff.js';
import { seededRandom } from '../../src/relay/embedded/behaviour.js';
import { EventStore } from '../../src/relay/embedded/event-store.js';
import { FilterIndex, parseFilters } from '../../src/relay/embedded/filter-index.js';

describe('backoff', () => {
  it('doubles up to the longest pause, between half and all of it, and starts afresh', () => {
    for (const [random, share] of [
      [() => 0, 0.5],
      [() => 0.999_999, 1],
    ] as const) {
      const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, atOnce: true }, random);
      const pauses = Array.from({ length: 7 }, () => Math.round(backoff.next()));
      expect(pauses).to.deep.equal([0, 100, 200, 400, 800, 1_000, 1_000].map((ms) => ms * share));
      backoff.reset();
      expect(backoff.next()).to.equal(0);
    }
  });

  it('never overflows', () => {
    const backoff = new Backoff({ firstMs: 1_000, maxMs: 60_000 });
    for (let n = 0; n < 5_000; n++) expect(backoff.next()).to.be.within(500, 60_000);
  });
});

describe('event store', () => {
  const event = (n: number, kind = 1): NostrEvent => ({
    id: String(n).padStart(64, '0'),
    pubkey: 'a'.repeat(64),
    sig: '',
    kind,
    created_at: n,
    tags: [],
    content: '',
  });

  it('drops the oldest beyond 10,000 events', () => {
    const store = new EventStore();
    for (let n = 0; n < 10_003; n++) store.add({ event: event(n), json: Buffer.alloc(0) });
    expect(store.size).to.equal(10_000);
    expect(store.query([{ until: 10 }], 0).map((kept) => kept.event.created_at)).to.deep.equal([
      10, 9, 8, 7, 6, 5, 4, 3,
    ]);
  });

  it('drops the oldest beyond 64 MiB', () => {
    const store = new EventStore();
    const json = Buffer.alloc(1024 * 1024);
    for (let n = 0; n < 70; n++) store.add({ event: event(n), json });
    expect(store.size).to.equal(64);
    expect(store.has(event(5).id)).to.equal(false);
    expect(store.has(event(6).id)).to.equal(true);
  });

  it('forgets in time', () => {
    const store = new EventStore();
    store.add({ event: event(1), json: Buffer.alloc(0) }, 100);
    expect(store.query([{}], 99)).to.have.length(1);
    expect(store.query([{}], 100)).to.have.length(0);
  });

  it('keeps one event an address, also for kinds 0, 3 and 10000 to 19999', () => {
    const store = new EventStore();
    for (const kind of [0, 3, 10_002, 38_334]) {
      expect(store.add({ event: event(kind + 2, kind), json: Buffer.alloc(0) })).to.equal(true);
      expect(store.add({ event: event(kind + 1, kind), json: Buffer.alloc(0) })).to.equal(false);
    }
    expect(store.size).to.equal(4);
  });
});

describe('filter index', () => {
  const tagged = (...values: string[]): NostrEvent => ({
    id: 'i',
    pubkey: 'a',
    sig: '',
    kind: 1,
    created_at: 1,
    tags: [['p'], ...values.map((value) => ['p', value])],
    content: '',
  });

  it('finds subscriptions by #p, by several, and those without', () => {
    const index = new FilterIndex<{ name: string; filters: Filter[] }>();
    const entries = [
      { name: 'one', filters: [{ '#p': ['x'] }] },
      { name: 'two', filters: [{ '#p': ['x', 'y'] }, { '#p': ['z'], kinds: [2] }] },
      { name: 'mixed', filters: [{ '#p': ['x'] }, { kinds: [1] }] },
      { name: 'none', filters: [{ '#p': [] }] },
    ];
    for (const entry of entries) index.add(entry);
    const names = (event: NostrEvent): string[] =>
      index
        .match(event)
        .map(({ name }) => name)
        .sort();
    expect(names(tagged('x'))).to.deep.equal(['mixed', 'one', 'two']);
    expect(names(tagged('x', 'y', 'x'))).to.deep.equal(['mixed', 'one', 'two']);
    expect(names(tagged('z'))).to.deep.equal(['mixed']);
    for (const entry of entries) index.delete(entry);
    expect(names(tagged('x', 'y', 'z'))).to.deep.equal([]);
  });

  it('reads filters, leaves out unknown fields and refuses malformed ones', () => {
    expect(parseFilters([{ kinds: [1], '#p': ['x'], search: 'y', limit: 0 }])).to.deep.equal([
      { kinds: [1], '#p': ['x'], limit: 0 },
    ]);
    for (const bad of [
      [],
      [[]],
      [{}, null],
      [{ ids: [1] }],
      [{ until: '1' }],
      Array(101).fill({}),
    ]) {
      expect(parseFilters(bad)).to.equal(undefined);
    }
  });
});

describe('seeded random', () => {
  it('repeats itself and spreads over [0, 1)', () => {
    const [one, two] = [seededRandom(42), seededRandom(42)];
    const values = Array.from({ length: 10_000 }, one);
    expect(Array.from({ length: 10_000 }, two)).to.deep.equal(values);
    expect(Math.min(...values)).to.be.within(0, 0.01);
    expect(Math.max(...values)).to.be.within(0.99, 1);
    expect(values.reduce((sum, value) => sum + value) / values.length).to.be.within(0.48, 0.52);
  });
});
