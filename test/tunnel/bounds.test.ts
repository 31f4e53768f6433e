// The bounds of a whole process: streams of all peers together, what they hold in memory, and what is remembered.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { pino } from 'pino';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import { STREAM_WINDOW_BYTES, TOTAL_FLIGHT_BYTES, TOTAL_WINDOW_BYTES } from '../../src/limits.js';
import { messageEvent } from '../../src/protocol/wire/events.js';
import { encodeMessages } from '../../src/protocol/wire/message.js';
import { SessionMemory } from '../../src/tunnel/memory/session-memory.js';
import { WindowShare } from '../../src/tunnel/memory/window-share.js';
import { Reception } from '../../src/tunnel/receiving/reception.js';
import { Rogue } from '../chaos/support/rogue.js';
import { errorOf } from '../support/expect-error.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { Tunnel } from './tunnel.js';

const PEERS = 4;
const MAX_STREAMS = 128;
/** CONNECTs in one event. */
const AT_ONCE = MAX_STREAMS / PEERS;

describe('the bounds of a process', function () {
  this.timeout(30_000);

  onEmbeddedRelay(() => {
    let tunnel: Tunnel;

    beforeEach(async () => {
      tunnel = await Tunnel.start({ behaviour: { muteUnheard: false } }, {}, MAX_STREAMS);
    });
    afterEach(() => tunnel.close());

    it('hold for the streams of an exit: all peers have so many, one more gets none until one ends', async () => {
      const exit = tunnel.signer.pubkey;
      const rogues = await Promise.all(
        Array.from({ length: PEERS + 1 }, () => Rogue.at(tunnel.url)),
      );
      const late = rogues.pop()!;
      let last = '';
      for (const rogue of rogues) {
        const keys = await rogue.open(exit, 'x.nostr:443', AT_ONCE, 0);
        await until(() => rogue.count('OPEN', keys) === keys.length);
        last = keys[0]!;
      }
      expect(tunnel.exit.session.streams).to.equal(MAX_STREAMS);
      const refused = await late.open(exit, 'x.nostr:443', 2, 0);
      await until(() => late.count('RESET', refused) === 2);
      expect(late.resets).to.deep.equal(['connection_limit_reached']);
      const gone = { type: 'RESET', key: last, error: 'connection_terminated' } as const;
      await rogues.at(-1)!.send(exit, gone);
      await until(() => tunnel.exit.session.streams === MAX_STREAMS - 1);
      const opened = await late.open(exit, 'x.nostr:443', 1, 0);
      await until(() => late.count('OPEN', opened) === 1);
      await Promise.all([...rogues, late].map((rogue) => rogue.close()));
    });

    it('hold for the streams of an entry', async () => {
      const signers = Array.from({ length: PEERS }, () => createSigner(generateSecretKey()));
      for (const { pubkey: peer } of signers) {
        for (let count = 0; count < AT_ONCE; count += 1) {
          await tunnel.open({ peer, reliable: true, early: true });
        }
      }
      const error = await errorOf(() => tunnel.open());
      expect(error.code).to.equal('connection_limit_reached');
      expect(tunnel.entry.session.streams).to.equal(MAX_STREAMS);
    });
  });

  it('hold for what has arrived and is not read: one peer may have it all, two share it', () => {
    const memory = new SessionMemory();
    const [first, second] = [memory.of({}), memory.of({})];
    const piece = TOTAL_WINDOW_BYTES / 16;
    const fill = (of: typeof first): number => {
      let count = 0;
      while (of.take(piece, false)) count += 1;
      return count;
    };
    expect(fill(first)).to.equal(16);
    expect(fill(second)).to.equal(8);
    for (let count = 0; count < 8; count += 1) second.give(piece);
    first.give(piece);
    expect(fill(first)).to.equal(1);
  });

  it('hold for what is on its way: those who send share it', () => {
    const memory = new SessionMemory();
    const [first, second] = [{}, {}];
    memory.sending(first, true);
    expect(memory.flightShareBytes).to.equal(TOTAL_FLIGHT_BYTES);
    memory.sending(second, true);
    expect(memory.flightShareBytes).to.equal(TOTAL_FLIGHT_BYTES / 2);
    memory.sending(first, false);
    expect(memory.flightShareBytes).to.equal(TOTAL_FLIGHT_BYTES);
  });

  it('hold for the windows of streams that are busy: together they promise no more than the whole', () => {
    const windows = new WindowShare();
    for (let busy = 1; busy <= 48; busy += 1) {
      windows.touch({}, 100_000, 1_000);
      expect(windows.windowBytes).to.be.at.most(STREAM_WINDOW_BYTES);
      expect(windows.windowBytes * busy).to.be.at.most(TOTAL_WINDOW_BYTES);
    }
    windows.touch({}, 100_000, 10_000);
    expect(windows.windowBytes).to.equal(STREAM_WINDOW_BYTES);
  });

  it('leave the whole window to a bulk stream beside many that say little, however long they do', () => {
    const windows = new WindowShare();
    const [bulk, ...others] = Array.from({ length: 51 }, () => ({}));
    for (let now = 0; now < 60_000; now += 100) {
      windows.touch(bulk!, 500_000, now);
      for (const other of others) windows.touch(other, 200, now);
    }
    expect(windows.windowBytes).to.equal(STREAM_WINDOW_BYTES);
    for (const other of others) windows.touch(other, 100_000, 60_000);
    expect(windows.windowBytes).to.be.below(STREAM_WINDOW_BYTES / 8);
    for (const other of others) windows.forget(other);
    expect(windows.windowBytes).to.equal(STREAM_WINDOW_BYTES);
  });

  it('give a window back that was much used and is little used now', () => {
    const windows = new WindowShare();
    const streams = Array.from({ length: 12 }, () => ({}));
    for (const stream of streams) windows.touch(stream, 100_000, 0);
    expect(windows.windowBytes).to.equal(Math.floor(TOTAL_WINDOW_BYTES / 12));
    for (let now = 0; now < 6_000; now += 500)
      for (const each of streams) windows.touch(each, 10, now);
    expect(windows.windowBytes).to.equal(STREAM_WINDOW_BYTES);
  });

  it('hold for the events that are remembered: the oldest is forgotten, and counts as new', () => {
    const [us, peer] = [createSigner(generateSecretKey()), createSigner(generateSecretKey())];
    const reception = new Reception(pino({ level: 'silent' }), 3);
    reception.signers.set(us.pubkey, us);
    const events = Array.from({ length: 4 }, () => {
      const text = encodeMessages([{ type: 'PING', key: randomUUID() }]);
      const content = peer.encrypt(us.pubkey, text);
      return peer.sign(messageEvent(us.pubkey, content, Math.floor(Date.now() / 1_000)));
    });
    const read = (index: number): boolean => reception.read(events[index]!) !== undefined;
    expect([read(0), read(1), read(2), read(0)]).to.deep.equal([true, true, true, false]);
    expect([read(3), read(1), read(2), read(3)]).to.deep.equal([true, false, false, false]);
    expect(read(0)).to.equal(true);
  });
});
