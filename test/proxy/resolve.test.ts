// What hosts mean: names, keys, aliases, and where the relays of a bare key come from.

import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import type { NwsError } from '../../src/errors.js';
import { encodeName, encodeNprofile, encodeNpub } from '../../src/protocol/names/address.js';
import { HostResolver } from '../../src/proxy/resolve.js';
import { silent } from './fixture.js';

const OWN = 'ws://127.0.0.1:7000';
const NAMED = 'wss://relay.example';

describe('proxy: resolving hosts', () => {
  const signer = createSigner(generateSecretKey());
  const { pubkey } = signer;
  const bare = encodeName({ pubkey, relays: [] });
  const named = encodeName({ pubkey, relays: [NAMED] });
  let events: NostrEvent[];
  let queries: number;

  beforeEach(() => {
    events = [];
    queries = 0;
  });

  const query = async (): Promise<NostrEvent[]> => {
    queries += 1;
    return events;
  };
  const resolver = (relays: string[], aliases: [string, string][] = []) =>
    new HostResolver({ relays, aliases: new Map(aliases), events: { query }, log: silent });

  const relayList = (createdAt: number, ...urls: string[]): NostrEvent =>
    signer.sign({
      kind: 10_002,
      created_at: createdAt,
      tags: urls.map((url) => ['r', url]),
      content: '',
    });

  it('takes key and relays from a name, whatever its case, and asks nobody', async () => {
    expect(await resolver([OWN]).resolve(`${named.toUpperCase()}.`)).to.deep.equal({
      host: named,
      destination: named,
      pubkey,
      relays: [NAMED],
      source: 'name',
      relaySources: ['name'],
    });
    expect(queries).to.equal(0);
  });

  it('reads npub and nprofile, bare or under .nostr', async () => {
    const npub = encodeNpub(pubkey);
    const nprofile = encodeNprofile({ pubkey, relays: [NAMED] });
    const own = resolver([OWN]);
    expect(await own.resolve(npub)).to.include({ source: 'npub', pubkey });
    expect(await own.resolve(`${nprofile}.nostr`)).to.deep.include({
      source: 'nprofile',
      relays: [NAMED],
    });
  });

  it('puts the relay list of a bare key behind the own relays', async () => {
    events = [
      relayList(2, 'wss://b.example', OWN, 'not a relay'),
      relayList(1, 'wss://old.example'),
    ];
    const { relays, relaySources } = await resolver([OWN]).resolve(bare);
    expect(relays).to.deep.equal([OWN, 'wss://b.example']);
    expect(relaySources).to.deep.equal(['settings', 'relay-list']);
  });

  it('believes nobody else about the relays of a key', async () => {
    const other = createSigner(generateSecretKey());
    events = [
      other.sign({ kind: 10_002, created_at: 9, tags: [['r', 'wss://evil.example']], content: '' }),
    ];
    const { relays, relaySources } = await resolver([OWN]).resolve(bare);
    expect(relays).to.deep.equal([OWN]);
    expect(relaySources).to.deep.equal(['settings']);
  });

  it('remembers a relay list', async () => {
    const own = resolver([OWN]);
    await Promise.all([own.resolve(bare), own.resolve(bare)]);
    await own.resolve(bare);
    expect(queries).to.equal(1);
  });

  it('makes do with the own relays when none can be asked, and asks again later', async () => {
    const failing = new HostResolver({
      relays: [OWN],
      aliases: new Map(),
      events: {
        query: async () => {
          queries += 1;
          throw new Error('down');
        },
      },
      log: silent,
    });
    expect((await failing.resolve(bare)).relays).to.deep.equal([OWN]);
    await failing.resolve(bare);
    expect(queries).to.equal(2);
  });

  it('takes no more relays from a list than a name may hold', async () => {
    events = [relayList(1, ...Array.from({ length: 50 }, (_, i) => `wss://r${i}.example`))];
    expect((await resolver([OWN]).resolve(bare)).relays).to.have.length(8);
  });

  it('says what to do when no relay is known', async () => {
    const error: NwsError = await resolver([])
      .resolve(bare)
      .catch((reason) => reason);
    expect(error.code).to.equal('no_relay');
    expect(error.hint).to.include('--relay');
  });

  it('looks aliases up without regard to case and keeps the name that the client uses', async () => {
    const own = resolver([], [['Shop.Nostr', named.toUpperCase()]]);
    expect(await own.resolve('SHOP.nostr')).to.include({
      host: 'shop.nostr',
      destination: named,
      source: 'alias',
    });
  });

  it('tells the tunnel from the clear web', () => {
    const own = resolver([], [['intranet', named]]);
    const ours = [named, 'Broken.NOSTR.', 'INTRANET', encodeNpub(pubkey)];
    expect(ours.filter((host) => own.isNostr(host))).to.deep.equal(ours);
    expect(['example.com', 'nostr', 'nostr.com', '::1'].filter((host) => own.isNostr(host))).to.be
      .empty;
  });
});
