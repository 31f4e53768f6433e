// Peers that break the rules: each is held to its share, while an honest one gets full service beside it.

import { expect } from 'chai';
import { encodeName } from '../../src/protocol/names/address.js';
import { Site } from '../e2e/support/site.js';
import { until } from '../support/until.js';
import { Processes } from './support/processes.js';
import { bytesAt, Rogue } from './support/rogue.js';
import { download, upload, whole } from './support/transfers.js';

const MB = 1_000_000;
const MOST_STREAMS = 512;
const BYTES = 2 * MB;
/** Everything that a process may hold for its streams, and what it is without any. */
const MOST_RESIDENT_BYTES = 450 * MB;
const PIECE = Buffer.alloc(20_000);
const REQUEST = Buffer.from(`GET /bytes/${1_000 * MB} HTTP/1.1\r\nHost: x\r\n\r\n`);
const ENDLESS_WINDOW = 2 ** 40;

describe('beside a peer that breaks the rules', function () {
  this.timeout(60_000);
  let site: Site;
  let processes: Processes;
  let relay: string;
  let rogue: Rogue;

  before(async () => {
    site = await Site.start();
    processes = await Processes.create();
    relay = await processes.anyRelay();
    processes.env = { NWS_CLIENT_STREAMS: String(MOST_STREAMS) };
    // Bytes as they are, so that a stream of the rogue is a connection of the target.
    await processes.serve(`tcp://127.0.0.1:${new URL(site.url).port}`, relay);
  });
  after(async () => {
    await processes.close();
    await site.close();
  });
  beforeEach(async () => {
    rogue = await Rogue.at(relay);
  });
  afterEach(async () => {
    await rogue.close();
  });

  async function honestIsServed(): Promise<void> {
    for (const { outcome } of [download(processes, BYTES), upload(processes, BYTES)]) {
      expect(await outcome).to.deep.equal(await whole(BYTES));
    }
    for (const { residentBytes } of [processes.exit, processes.proxy]) {
      expect(residentBytes).to.be.below(MOST_RESIDENT_BYTES);
    }
  }

  /** Streams of the rogue's that the exit has opened. */
  async function opened(count: number, window = 0): Promise<string[]> {
    const { pubkey, domain } = processes.exit.ready;
    const keys = await rogue.open(pubkey!, `${domain}:80`, count, window);
    await until(() => rogue.count('OPEN', keys) + rogue.count('RESET', keys) === count);
    return keys;
  }

  it('an entry that sends beyond its window: those streams are reset', async () => {
    const { pubkey } = processes.exit.ready;
    const keys = await opened(50);
    const served = honestIsServed();
    for (const key of keys) await rogue.send(pubkey!, bytesAt(key, ENDLESS_WINDOW, PIECE));
    await until(() => rogue.count('RESET', keys) === keys.length);
    expect(rogue.resets).to.deep.equal(['http_protocol_error']);
    await served;
  });

  it('an entry that opens streams without end: it gets so many, and is told why not more', async () => {
    const served = honestIsServed();
    let keys: string[] = [];
    for (let left = MOST_STREAMS; left > 0; left -= 64) keys = keys.concat(await opened(64));
    expect(rogue.count('OPEN', keys)).to.equal(MOST_STREAMS);
    const refused = await opened(20);
    expect(rogue.count('RESET', refused)).to.equal(20);
    expect(rogue.resets).to.deep.equal(['connection_limit_reached']);
    await served;
    // The honest entry's own have ended.
    await until(() => site.connections === MOST_STREAMS);
  });

  it('an entry that asks for much and acknowledges nothing: memory stays bounded', async () => {
    const { pubkey } = processes.exit.ready;
    const keys = await opened(100, ENDLESS_WINDOW);
    for (const key of keys) await rogue.send(pubkey!, bytesAt(key, 0, REQUEST, ENDLESS_WINDOW));
    await until(() => rogue.count('DATA', keys) > 10);
    await honestIsServed();
  });

  it('an entry that leaves a gap before everything it sends: memory stays bounded', async () => {
    const { pubkey } = processes.exit.ready;
    const keys = await opened(MOST_STREAMS / 4);
    const served = honestIsServed();
    for (const offset of [1, 20_001, 40_001]) {
      for (const key of keys) await rogue.send(pubkey!, bytesAt(key, offset, PIECE));
    }
    await served;
    await honestIsServed();
  });

  it('an exit that sends beyond its window: the client loses that connection alone', async () => {
    rogue.on('message', ({ type, key }, from) => {
      if (type !== 'CONNECT') return;
      // In one event: the stream fails in the moment in which it opens, before anybody holds it.
      void rogue.send(
        from,
        { type: 'OPEN', key, v: 1, window: 0 },
        bytesAt(key, ENDLESS_WINDOW, PIECE),
      );
    });
    const served = honestIsServed();
    const client = processes.ask(encodeName({ pubkey: rogue.pubkey, relays: [relay] }));
    await new Promise((resolve) => client.resume().once('close', resolve));
    expect(rogue.resets).to.deep.equal(['http_protocol_error']);
    await served;
  });

  it('an exit that never reads: the client is held back, and nobody else', async () => {
    rogue.on('message', ({ type, key }, from) => {
      if (type === 'CONNECT') void rogue.send(from, { type: 'OPEN', key, v: 1, window: 1_000 });
    });
    const client = await processes.connect(encodeName({ pubkey: rogue.pubkey, relays: [relay] }));
    while (client.write(PIECE));
    await until(() => rogue.heard.some(({ type }) => type === 'DATA'));
    for (let written = 0; written < 64 * MB; written += PIECE.length) client.write(PIECE);
    await honestIsServed();
    expect(client.writableLength).to.be.above(32 * MB);
    client.destroy();
  });
});
