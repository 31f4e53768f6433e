// What a viewer is sent: rows that changed, those that are gone, and never more than fit.

import { expect } from 'chai';
import { NwsError } from '../../src/errors.js';
import { View } from '../../src/status/live/view.js';
import { npubOf } from '../../src/status/state/npubs.js';
import type { Subject } from '../../src/status/state/watch.js';
import { subject } from '../support/subject.js';
import { FakeStream } from './streams.js';

const ANNA = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const BERT = 'c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5';

describe('status/view', () => {
  let watched: Subject;

  beforeEach(() => {
    watched = subject();
  });

  function open(host: string, peer = ANNA, read = 0, written = 0): FakeStream {
    const stream = new FakeStream(read, written);
    watched.accounts.opened({ stream: `key-of-${host}`, peer, destination: host }, stream);
    return stream;
  }

  type Rows = readonly Record<string, unknown>[];
  const hosts = (rows: readonly object[] = []): unknown[] => (rows as Rows).map(({ host }) => host);
  const seen = (view: View): unknown[] => hosts(view.changes(watched).streams?.rows);
  const view = (query = ''): View => new View(new URLSearchParams(query));

  it('gives everything at first, then what changed alone', async () => {
    const [one, two] = [open('one.nostr:1'), open('two.nostr:2')];
    const looking = view();
    expect(seen(looking)).to.have.members(['one.nostr:1', 'two.nostr:2']);
    expect(looking.changes(watched)).to.deep.equal({ matching: 2 });
    one.carry(5, 7);
    const { streams, peers, matching } = looking.changes(watched);
    expect(matching).to.equal(2);
    expect(streams?.gone).to.deep.equal([]);
    expect(streams?.rows).to.have.length(1);
    expect(streams?.rows[0]).to.include({ id: '1', host: 'one.nostr:1', bytesUp: 7, bytesDown: 5 });
    expect(peers?.rows[0]).to.include({ pubkey: ANNA, streams: 2, bytesUp: 7, bytesDown: 5 });
    await two.close();
    expect(looking.changes(watched).streams).to.deep.equal({ rows: [], gone: ['2'] });
  });

  it('shows so many streams, in the order that was asked for, and says how many there are', () => {
    for (let count = 1; count <= 150; count += 1) open(`h${count}.nostr:1`, ANNA, count % 75);
    const first = (query: string): unknown => seen(view(query))[0];
    expect(first('')).to.equal('h149.nostr:1');
    expect(first('sort=newest')).to.equal('h150.nostr:1');
    expect(first('sort=oldest')).to.equal('h1.nostr:1');
    expect(first('sort=constructor')).to.equal('h149.nostr:1');
    const { streams, matching } = view().changes(watched);
    expect([streams?.rows.length, matching]).to.deep.equal([100, 150]);
  });

  it('finds streams by host, key, way and peer', () => {
    open('shop.nostr:443');
    open('other.nostr:443', BERT);
    expect(seen(view('filter=SHOP'))).to.deep.equal(['shop.nostr:443']);
    expect(seen(view('filter=key-of-other'))).to.deep.equal(['other.nostr:443']);
    expect(seen(view(`filter=${npubOf(BERT)}`))).to.deep.equal(['other.nostr:443']);
    expect(seen(view('filter=relay'))).to.have.length(2);
    expect(seen(view('filter=nowhere'))).to.deep.equal([]);
  });

  it('tells of failures by code with a hint, their own or one for all of the kind', () => {
    const { failures } = watched.accounts;
    failures.note(new NwsError('relay_unreachable', 'no relay', { hint: 'do this' }), 'x.nostr');
    failures.note(new NwsError('connection_refused', 'nobody there'), 'y.nostr');
    const rows = view().changes(watched).errors?.rows as Rows;
    const byCode = Object.fromEntries(rows.map((row) => [row.code, row]));
    expect(byCode.relay_unreachable).to.include({ count: 1, hint: 'do this', about: 'x.nostr' });
    expect(byCode.connection_refused?.hint).to.match(/service listens/);
  });

  it('shows no pins rather than none of anything where their record is broken', () => {
    watched = subject({
      pins: () => {
        throw new NwsError('bad_config', 'pins.json is broken');
      },
    });
    open('one.nostr:1');
    expect(seen(view())).to.deep.equal(['one.nostr:1']);
  });
});
