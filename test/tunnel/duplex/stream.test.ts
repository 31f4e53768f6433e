// A tunnel stream whose user is done with it: how long the other side may take what was written.

import { mock } from 'node:test';
import { expect } from 'chai';
import { RoundTrip } from '../../../src/protocol/stream/round-trip.js';
import { StreamState } from '../../../src/protocol/stream/stream-state.js';
import { TunnelStream } from '../../../src/tunnel/duplex/stream.js';

const LINGER_MS = 30_000;
const BYTES = 1_000;

describe('tunnel: a stream that was left in order', () => {
  let state: StreamState;
  let stream: TunnelStream;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    state = StreamState.dialling({
      key: '8c4bd65e-3a3c-4e4b-93a8-6a0b1fb8d9ac',
      peerKind: 'reliable',
      destination: '',
      roundTrip: new RoundTrip(),
      windowBytes: () => 65_536,
      memory: { take: () => true, give: () => undefined },
      sendLimit: BYTES,
      now: 0,
    });
    state.accept(0);
    stream = new TunnelStream(state, () => undefined);
    stream.end(Buffer.alloc(BYTES));
    stream.destroy();
  });
  afterEach(() => mock.timers.reset());

  /** Sends all that may be sent, and the peer has it. */
  function deliver(): void {
    let end = 0;
    for (let segment = state.send.pull(0, 400, true); segment !== undefined; ) {
      end = segment.end;
      segment = state.send.pull(0, 400, true);
    }
    expect(state.send.acknowledge(end, [], 0)).to.equal(true);
  }

  it('is reset when the peer takes nothing for half a minute', () => {
    mock.timers.tick(LINGER_MS - 1);
    expect(state.phase).to.equal('open');
    mock.timers.tick(1);
    expect(state.phase).to.equal('over');
  });

  it('stays while the peer takes some', () => {
    for (let at = 1; at <= 40; at += 1) {
      state.send.offer(BYTES + at);
      mock.timers.tick(LINGER_MS);
      expect(state.phase).to.equal('open');
    }
    mock.timers.tick(LINGER_MS);
    expect(state.phase).to.equal('over');
  });

  it('stays for minutes when the peer has it all, whose client may read slowly, and not for ever', () => {
    state.send.offer(2 * BYTES);
    deliver();
    expect(state.send.finished).to.equal(true);
    for (let at = 0; at < 10; at += 1) mock.timers.tick(LINGER_MS);
    expect(state.phase).to.equal('open');
    for (let at = 0; at < 12; at += 1) mock.timers.tick(LINGER_MS);
    expect(state.phase).to.equal('over');
  });

  it('is reset when the peer has it all and goes on speaking', () => {
    state.send.offer(2 * BYTES);
    deliver();
    mock.timers.tick(LINGER_MS);
    expect(state.phase).to.equal('open');
    state.receive.receive(0, Buffer.from('on and on'), false, 0);
    stream.sync();
    expect(state.phase).to.equal('open');
    mock.timers.tick(LINGER_MS);
    expect(state.phase).to.equal('over');
  });
});
