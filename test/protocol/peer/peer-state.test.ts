// One pair of keys: what opens streams, what doesn't, and what is answered to whom.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { NwsError } from '../../../src/errors.js';
import { MAX_STREAMS_PER_PEER, MAX_UNANSWERED_PER_PEER } from '../../../src/limits.js';
import { MAX_ASKED_AFTER } from '../../../src/protocol/peer/liveness.js';
import { PeerState } from '../../../src/protocol/peer/peer-state.js';
import type { Message } from '../../../src/protocol/wire/message.js';

const CAPACITY = 40_960;

function peer(role: 'entry' | 'exit'): PeerState {
  return new PeerState({
    role,
    windowBytes: () => 100_000,
    memory: { take: () => true, give: () => undefined },
    flightShareBytes: () => 1_000_000,
    newKey: randomUUID,
    now: 0,
  });
}

function said(state: PeerState, now: number, capacity = CAPACITY): Message[] {
  return state.pull(now, capacity).map(({ message }) => message);
}

const connect = (key: string = randomUUID()): Message => ({
  type: 'CONNECT',
  key,
  destination: 'x.nostr:443',
  v: 1,
  window: 50_000,
});

describe('protocol/peer-state', () => {
  it('opens a stream for a fresh CONNECT, once', () => {
    const exit = peer('exit');
    const message = connect();
    const stream = exit.receive(message, 0, true);
    expect(stream?.phase).to.equal('dialling');
    expect(exit.receive(message, 1, true)).to.equal(stream);
    expect(exit.streams.size).to.equal(1);
  });

  it('answers every repeat of CONNECT with OPEN while the stream is open', () => {
    const exit = peer('exit');
    const message = connect();
    exit.receive(message, 0, true)?.accept(1);
    for (const now of [2, 500]) {
      expect(said(exit, now).map(({ type }) => type)).to.include('OPEN');
      exit.receive(message, now + 1, true);
    }
  });

  it('opens nothing for a CONNECT that is old, repeated after the end, or sent to an entry', () => {
    const exit = peer('exit');
    expect(exit.receive(connect(), 0, false)).to.equal(undefined);
    const message = connect();
    exit.receive(message, 0, true)?.reset(new NwsError('connection_refused', 'no'), 1);
    said(exit, 2);
    exit.settle(2);
    expect(exit.receive(message, 3, true)).to.equal(undefined);
    expect(said(exit, 4)[0]).to.include({ type: 'RESET', error: 'connection_refused' });
    expect(peer('entry').receive(connect(), 0, true)).to.equal(undefined);
    expect(exit.streams.size).to.equal(0);
  });

  it('opens nothing for a CONNECT that its own RESET has overtaken', () => {
    const exit = peer('exit');
    const message = connect();
    const { key } = message;
    exit.receive({ type: 'RESET', key: key!, error: 'connection_terminated' }, 0, true);
    expect(exit.receive(message, 1, true)).to.equal(undefined);
    expect([exit.streams.size, said(exit, 2)]).to.deep.equal([0, []]);
  });

  it('ends a stream whose peer answers, and says for good that something is missing', () => {
    const entry = peer('entry');
    const stream = entry.open('x.nostr:443', 0);
    const { key } = stream;
    entry.receive({ type: 'OPEN', key, v: 1, window: 50_000 }, 1, true);
    for (const size of [50, 60]) {
      stream.send.write(Buffer.alloc(size));
      said(entry, 2);
    }
    entry.receive({ type: 'ACK', key, ack: 50, window: 50_000 }, 3, true);
    for (let now = 10_000; now <= 200_000 && stream.phase === 'open'; now += 10_000) {
      // A restarted exit, for which the stream begins in the middle.
      entry.receive({ type: 'ACK', key, ack: 0, window: 50_000, have: [[50, 110]] }, now, true);
      entry.tick(now);
      said(entry, now);
    }
    expect(stream.error?.code).to.equal('connection_timeout');
  });

  it('resets what it does not know, but for data that may be ahead of its CONNECT', () => {
    const exit = peer('exit');
    const key = randomUUID();
    const data = {
      type: 'DATA',
      key,
      data: Buffer.from('x'),
      ack: 0,
      window: 9,
      fin: false,
    } as const;
    exit.receive({ ...data, offset: 0 }, 0, true);
    expect(said(exit, 0)).to.deep.equal([]);
    exit.receive({ ...data, offset: 5 }, 0, true);
    expect(said(exit, 0)[0]).to.include({ type: 'RESET', key });
    exit.receive({ type: 'RESET', key, error: 'connection_terminated' }, 0, true);
    expect(said(exit, 0)).to.deep.equal([]);
  });

  it('answers a flood about unknown streams a limited number of times a second', () => {
    const exit = peer('exit');
    for (let count = 0; count < 1_000; count += 1) {
      exit.receive({ type: 'ACK', key: randomUUID(), ack: 1, window: 1 }, 10, true);
    }
    expect(said(exit, 10)).to.have.length(MAX_ASKED_AFTER);
  });

  it('takes so many streams of one peer and no more', () => {
    const exit = peer('exit');
    for (let count = 0; count < MAX_STREAMS_PER_PEER + 1; count += 1) {
      exit.receive(connect(), 0, true)?.accept(0);
    }
    expect(exit.streams.size).to.equal(MAX_STREAMS_PER_PEER);
    expect(said(exit, 0)[0]).to.include({ error: 'connection_limit_reached' });
  });

  it('takes fewer streams that are still unanswered', () => {
    const exit = peer('exit');
    const asked = Array.from({ length: MAX_UNANSWERED_PER_PEER }, () =>
      exit.receive(connect(), 0, true),
    );
    expect(exit.receive(connect(), 0, true)).to.equal(undefined);
    expect(said(exit, 0)[0]).to.include({ type: 'RESET', error: 'connection_limit_reached' });
    asked[0]!.accept(0);
    expect(exit.receive(connect(), 0, true)?.phase).to.equal('dialling');
    expect(exit.streams.size).to.equal(MAX_UNANSWERED_PER_PEER + 1);
  });

  it('answers PING with the same key', () => {
    const exit = peer('exit');
    const key = randomUUID();
    exit.receive({ type: 'PING', key }, 0, true);
    expect(said(exit, 0)).to.deep.equal([{ type: 'PONG', key }]);
  });

  it('puts small writes of many streams into one event, and goes round among bulk streams', () => {
    const exit = peer('exit');
    const streams = Array.from({ length: 12 }, () => exit.receive(connect(), 0, true)!);
    for (const stream of streams) stream.accept(0);
    said(exit, 0);
    streams.forEach((stream, index) => {
      stream.send.write(Buffer.alloc(index < 2 ? 40_000 : 100));
    });
    const bulk = new Set(streams.slice(0, 2).map(({ key }) => key));
    const [first, second] = [said(exit, 1), said(exit, 1)].map((messages) =>
      messages.map(({ key }) => key),
    );
    expect(first!.slice(0, 10).some((key) => bulk.has(key))).to.equal(false);
    expect(first).to.have.length(11);
    expect(new Set([first![10], second![0]])).to.deep.equal(bulk);
  });

  it('ends an unanswered opening with a hint, and later so where a PONG shows that the exit is there', () => {
    const absent = peer('entry');
    const given = absent.open('x.nostr:443', 0);
    absent.tick(10_000);
    expect([given.phase, given.error?.code]).to.deep.equal(['over', 'exit_unreachable']);
    const dialling = peer('entry');
    const patient = dialling.open('x.nostr:443', 0);
    dialling.receive({ type: 'PONG', key: randomUUID() }, 3_000, true);
    dialling.tick(29_000);
    expect(patient.phase).to.equal('opening');
    dialling.tick(30_000);
    expect(patient.error?.code).to.equal('connection_timeout');
  });

  it('holds to the flight limit for bulk data and lets small writes pass', () => {
    const state = new PeerState({
      role: 'exit',
      windowBytes: () => 100_000,
      memory: { take: () => true, give: () => undefined },
      flightShareBytes: () => 100_000,
      newKey: randomUUID,
      now: 0,
    });
    const open = () => {
      const stream = state.receive({ ...connect(), window: 10_000_000 } as Message, 0, true)!;
      stream.accept(0);
      return stream;
    };
    const [bulk, small] = [open(), open()];
    bulk.send.write(Buffer.alloc(1_000_000));
    while (said(state, 0).length > 0);
    expect(bulk.send.inFlightBytes).to.be.within(100_000, 150_000);
    small.send.write(Buffer.from('a keystroke'));
    expect(said(state, 0).map(({ key }) => key)).to.deep.equal([small.key]);
  });
});
