// Thousands of streams of one peer: what an event costs doesn't depend on how many there are, and all get their turn.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { type Parcel, PeerState } from '../../../src/protocol/peer/peer-state.js';
import { StreamState } from '../../../src/protocol/stream/stream-state.js';
import type { Message } from '../../../src/protocol/wire/message.js';

const CAPACITY = 40_960;
const WINDOW = 10_000_000;

function exitWith(count: number): { state: PeerState; streams: StreamState[] } {
  const state = new PeerState({
    role: 'exit',
    windowBytes: () => 1_000_000,
    memory: { take: () => true, give: () => undefined },
    flightShareBytes: () => 1_000_000,
    newKey: randomUUID,
    now: 0,
  });
  const streams = Array.from({ length: count }, () => open(state));
  while (state.pull(0, CAPACITY).length > 0);
  handle(state, 0);
  return { state, streams };
}

function open(state: PeerState): StreamState {
  const connect = { type: 'CONNECT', destination: 'x.nostr:443', v: 1, window: WINDOW } as const;
  const stream = state.receive({ ...connect, key: randomUUID() }, 0, true)!;
  stream.accept(0);
  return stream;
}

function messages(parcels: readonly Parcel[]): Message[] {
  return parcels.map(({ message }) => message);
}

/** How often anything was asked of any stream. */
function visits(action: () => void): number {
  const { prototype } = StreamState;
  const own = Object.getOwnPropertyDescriptors(prototype);
  let count = 0;
  const counting = <T extends (...args: never[]) => unknown>(call: T) =>
    function counted(this: unknown, ...args: never[]) {
      count += 1;
      return call.apply(this, args);
    } as unknown as T;
  for (const [name, property] of Object.entries(own)) {
    if (name === 'constructor') continue;
    const { get, value } = property;
    if (get !== undefined)
      Object.defineProperty(prototype, name, { ...property, get: counting(get) });
    else Object.defineProperty(prototype, name, { ...property, value: counting(value) });
  }
  try {
    action();
  } finally {
    Object.defineProperties(prototype, own);
  }
  return count;
}

/** What the shell does at each event. */
function handle(state: PeerState, now: number): Parcel[] {
  state.tick(now);
  const sent = state.ready(now) ? state.pull(now, CAPACITY) : [];
  state.tick(now);
  state.settle(now);
  state.wakeAt(now);
  return sent;
}

describe('protocol/peer: many streams', () => {
  const data = { type: 'DATA', ack: 0, window: WINDOW, fin: false, offset: 0 } as const;
  const cases: Readonly<Record<string, (state: PeerState, stream: StreamState) => void>> = {
    'data that arrives, and its acknowledgement': (state, { key }) => {
      state.receive({ ...data, key, data: Buffer.from('x') }, 10, true);
      handle(state, 10);
      expect(messages(handle(state, 1_000)).map(({ type }) => type)).to.deep.equal(['ACK']);
    },
    'a small write': (state, stream) => {
      stream.send.write(Buffer.from('x'));
      expect(messages(handle(state, 10))).to.have.length(1);
    },
    'a large write, and an event that is refused': (state, stream) => {
      stream.send.write(Buffer.alloc(100_000));
      const sent = handle(state, 10);
      state.lost(sent, 11);
      expect(messages(handle(state, 11))[0]).to.include({ type: 'DATA', offset: 0 });
    },
    'what times out': (state, stream) => {
      stream.send.write(Buffer.from('x'));
      handle(state, 10);
      expect(messages(handle(state, 2_000))).to.have.length(1);
    },
    'a message of a stream that ends': (state, { key }) => {
      state.receive({ type: 'RESET', key, error: 'connection_terminated' }, 10, true);
      handle(state, 10);
      expect(state.streams.has(key)).to.equal(false);
    },
    'a link that went down': (state, stream) => {
      stream.send.write(Buffer.from('x'));
      handle(state, 10);
      state.relink(20);
      expect(messages(handle(state, 20))).to.have.length(1);
    },
  };

  for (const [name, act] of Object.entries(cases)) {
    it(`${name}: costs no more among 2,000 than among 20`, () => {
      const [few, many] = [20, 2_000].map((count) => {
        const { state, streams } = exitWith(count);
        return visits(() => act(state, streams[7]!));
      });
      expect(few).to.be.above(0);
      expect(many).to.equal(few);
    });
  }

  it('all get their turn where small writes of all fill many events', () => {
    const { state, streams } = exitWith(2_000);
    for (const { send } of streams) send.write(Buffer.alloc(300));
    const served = new Set<string>();
    let events = 0;
    while (served.size < streams.length) {
      const keys = messages(handle(state, 10)).map(({ key }) => key);
      const unserved = keys.slice(0, streams.length - served.size);
      expect(unserved.some((key) => served.has(key))).to.equal(false);
      for (const key of keys) served.add(key);
      // Whoever was served has more to say, and waits for the others.
      for (const { key, send } of streams) if (keys.includes(key)) send.write(Buffer.alloc(300));
      events += 1;
    }
    expect(events).to.be.within(2, 60);
  });

  it('a stream whose window is nearly closed holds up nobody else', () => {
    const { state, streams } = exitWith(2);
    const [blocked, other] = streams as [StreamState, StreamState];
    // Less than what is worth a segment is left of its window, and some of it is on its way.
    blocked.send.write(Buffer.alloc(WINDOW - 500));
    let now = 20;
    for (; blocked.send.queuedBytes > 0; now += 10) {
      handle(state, now);
      const ack = WINDOW - 500 - blocked.send.queuedBytes;
      if (blocked.send.queuedBytes > 0) {
        state.receive({ type: 'ACK', key: blocked.key, ack, window: WINDOW }, now, true);
      }
    }
    blocked.send.write(Buffer.alloc(50_000));
    other.send.write(Buffer.alloc(50_000));
    expect(messages(handle(state, now)).map(({ key }) => key)).to.deep.equal([other.key]);
  });
});
