// A reliable stream as a state machine: opening, two halves, the end. Pure: messages, bytes and the time
// come in; messages go out when somebody pulls them. The Duplex around it is tunnel/stream.ts.

import { NwsError } from '../errors.js';
import { EARLY_DATA_BYTES, STREAM_VERSION } from '../limits.js';
import type { Ack, Connect, Data, Open, Reset } from './message.js';
import { ReceiveHalf } from './receive-half.js';
import { errorOfReset, resetFor } from './reset.js';
import type { RoundTrip } from './round-trip.js';
import type { Segment } from './segment.js';
import { SendHalf } from './send-half.js';
import type { Outgoing, Phase, StreamOptions } from './stream-types.js';
import {
  MAX_CONNECT_PAUSE_MS,
  MAX_FIRST_SAMPLE_MS,
  OPEN_TIMEOUT_MS,
  RESET_TIMEOUT_MS,
  SILENT_EXIT_MS,
  STALL_REPEATS,
  STALL_TIMEOUT_MS,
} from './timeouts.js';

export class StreamState {
  readonly key: string;
  readonly destination: string;
  readonly send: SendHalf;
  readonly receive: ReceiveHalf;
  readonly #roundTrip: RoundTrip;
  readonly openedAt: number;
  #phase: Phase;
  #error: NwsError | undefined;
  /** CONNECT or OPEN or RESET is due at this time. */
  #handshakeAt: number | undefined;
  #handshakes = 0;
  #progressAt: number;

  private constructor(phase: Phase, options: StreamOptions) {
    this.key = options.key;
    this.destination = options.destination;
    this.#roundTrip = options.roundTrip;
    this.#phase = phase;
    this.openedAt = options.now;
    this.#progressAt = options.now;
    this.send = new SendHalf(options.roundTrip, options.sendLimit);
    // An exit's first window is what any entry may send early; an entry's is whatever it says in CONNECT.
    const first = phase === 'dialling' ? EARLY_DATA_BYTES : 0;
    this.receive = new ReceiveHalf(options.windowBytes, first, options.memory);
    if (phase === 'opening') this.#handshakeAt = options.now;
  }

  /** The entry's side of a new stream: CONNECT is due. */
  static opening(options: StreamOptions): StreamState {
    return new StreamState('opening', options);
  }

  /** The exit's side, when CONNECT has come: nothing is due until `accept` or `reset`. */
  static dialling(options: StreamOptions): StreamState {
    return new StreamState('dialling', options);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Why the stream ended before both directions did. */
  get error(): NwsError | undefined {
    return this.#error;
  }

  /** How often CONNECT was sent. */
  get attempts(): number {
    return this.#handshakes;
  }

  /** The exit's target is connected. */
  accept(now: number): void {
    if (this.#phase !== 'dialling') return;
    this.#phase = 'open';
    this.#progressAt = now;
    this.#handshakeAt = now;
  }

  /** Ends both directions now and tells the peer. */
  reset(error: NwsError, now: number): void {
    if (this.#phase === 'over') return;
    this.#end(error);
    this.#handshakeAt = now;
  }

  /** Ends both directions without telling the peer: it ended them, or it is gone. */
  abandon(error: NwsError): void {
    if (this.#phase !== 'over') this.#end(error);
  }

  #end(error: NwsError | undefined): void {
    this.#phase = 'over';
    this.#error = error;
    this.#handshakeAt = undefined;
  }

  /** Takes a message of the peer for this stream. */
  take(message: Connect | Open | Data | Ack | Reset, now: number): void {
    if (this.#phase === 'over') return;
    if (message.type === 'CONNECT') {
      // Our answer was lost, or it is a repeat from before our answer.
      if (this.#phase === 'open') this.#handshakeAt ??= now;
    } else if (message.type === 'RESET') {
      this.abandon(errorOfReset(message));
    } else {
      this.#opened(now);
      if (message.type === 'OPEN') this.send.offer(message.window);
      else if (this.#acknowledge(message, now) && message.type === 'DATA') this.#data(message, now);
    }
  }

  /** Data or acknowledgements of an exit say that it is open as well as OPEN does, which they may overtake. */
  #opened(now: number): void {
    if (this.#phase !== 'opening') return;
    this.#phase = 'open';
    this.#handshakeAt = undefined;
    this.#progressAt = now;
    const elapsed = now - this.openedAt;
    if (this.#handshakes === 1 && elapsed < MAX_FIRST_SAMPLE_MS) this.#roundTrip.sample(elapsed);
  }

  #acknowledge(message: Ack | Data, now: number): boolean {
    const progress = this.send.acknowledge(message.ack, message.have ?? [], now);
    if (progress === undefined) {
      this.#violation('acknowledged bytes that were never sent', now);
      return false;
    }
    this.send.offer(message.window);
    // A peer that answers our question about its closed window is alive, however slow its reader is.
    if (progress || this.send.inFlightBytes === 0) this.#progressAt = now;
    return true;
  }

  #data({ offset, data, fin }: Data, now: number): void {
    if (this.receive.receive(offset, data, fin, now) === 'violation') {
      this.#violation('sent bytes outside of its window', now);
    }
  }

  #violation(what: string, now: number): void {
    this.reset(new NwsError('http_protocol_error', `the peer ${what}`), now);
  }

  /** Time passes: what timed out is marked lost, and a stream without progress ends. */
  tick(now: number, peerHeardAt: number): void {
    if (this.#phase === 'opening') this.#checkOpening(now, peerHeardAt);
    if (this.#phase === 'over' && now - (this.#handshakeAt ?? now) >= RESET_TIMEOUT_MS) {
      this.#handshakeAt = undefined;
    }
    if (this.#phase !== 'open') return;
    this.send.tick(now);
    if (!this.send.awaitsPeer) this.#progressAt = now;
    else if (now >= this.#stallAt) {
      this.reset(new NwsError('connection_timeout', 'the peer stopped answering'), now);
    }
  }

  get #stallAt(): number {
    const repeatsMs = STALL_REPEATS * this.#roundTrip.timeoutMs(1);
    return this.#progressAt + Math.max(STALL_TIMEOUT_MS, repeatsMs);
  }

  #checkOpening(now: number, peerHeardAt: number): void {
    const waitedMs = now - this.openedAt;
    if (waitedMs >= OPEN_TIMEOUT_MS) {
      const text = 'the exit did not reach its target in time';
      this.reset(new NwsError('connection_timeout', text), now);
    } else if (waitedMs >= SILENT_EXIT_MS && peerHeardAt <= this.openedAt) {
      const hint = 'check that the exit runs and uses one of these relays';
      this.abandon(new NwsError('exit_unreachable', 'no answer from the exit', { hint }));
    }
  }

  /** Both directions have ended and nothing is left to say. */
  settle(): void {
    const done = this.send.finished && this.receive.finished && this.receive.ackAt === undefined;
    if (this.#phase === 'open' && done) this.#end(undefined);
  }

  /** The link that carried our messages is gone: what is in flight may be lost, and is sent again. */
  relink(now: number): void {
    this.send.loseAll();
    if (this.#phase === 'opening') this.#handshakeAt = now;
  }

  /** This message did not get through, for certain: it is due again. */
  lost({ message, segment }: Outgoing, now: number): void {
    if (segment !== undefined) this.send.lose([segment]);
    else if (message.type === 'ACK') this.receive.acknowledge(now);
    else if (message.type === 'RESET') this.#handshakeAt = now;
    else if (message.type === 'OPEN' && this.#phase === 'open') this.#handshakeAt = now;
    else if (message.type === 'CONNECT' && this.#phase === 'opening') this.#handshakeAt = now;
  }

  /** Whether `pull` has something now, apart from large data. */
  urgent(now: number): boolean {
    if (this.#handshakeAt !== undefined && now >= this.#handshakeAt) return true;
    if (this.#phase !== 'open') return false;
    return this.receive.ackDue(now) || this.send.probe(now);
  }

  /** Whether there is data to send now. */
  get hasData(): boolean {
    if (this.#phase === 'open') return this.send.ready;
    // Only data from offset 0 may be ahead of its CONNECT without being taken for data of an unknown stream.
    return this.#phase === 'opening' && this.send.ready && this.send.atStart;
  }

  /** The next message with at most `maxBytes` of data and `maxRanges` of `have`, or undefined. See SendHalf.pull. */
  pull(now: number, maxBytes: number, maxRanges: number, isAlone: boolean): Outgoing | undefined {
    if (this.#handshakeAt !== undefined && now >= this.#handshakeAt)
      return this.#pullHandshake(now);
    if (this.#phase !== 'open' && this.#phase !== 'opening') return undefined;
    if (this.hasData && maxBytes > 0) {
      // The time without progress starts when there is something to wait for.
      if (!this.send.awaitsPeer) this.#progressAt = now;
      const segment = this.send.pull(now, maxBytes, isAlone);
      if (segment !== undefined) return { message: this.#message(segment, maxRanges), segment };
    }
    if (this.#phase === 'opening') return undefined;
    if (this.send.probe(now)) {
      const offset = this.send.pullProbe(now);
      return { message: this.#message({ offset, data: Buffer.alloc(0), fin: false }, maxRanges) };
    }
    if (!this.receive.ackDue(now)) return undefined;
    this.receive.acknowledged();
    const { ack, window } = this.receive;
    const have = this.receive.have(maxRanges);
    return {
      message: { type: 'ACK', key: this.key, ack, window, ...(have.length > 0 && { have }) },
    };
  }

  #pullHandshake(now: number): Outgoing {
    const { key } = this;
    this.#handshakeAt = undefined;
    if (this.#phase === 'over') return { message: resetFor(key, this.#error) };
    const { window } = this.receive;
    if (this.#phase === 'open')
      return { message: { type: 'OPEN', key, v: STREAM_VERSION, window } };
    this.#handshakes += 1;
    const pauseMs = this.#roundTrip.timeoutMs(this.#handshakes);
    this.#handshakeAt =
      now + Math.min(pauseMs, Math.max(MAX_CONNECT_PAUSE_MS, this.#roundTrip.timeoutMs(1)));
    // Whatever went out with a CONNECT that nobody answered goes out with this one again.
    if (this.#handshakes > 1) this.send.loseAll();
    const { destination } = this;
    return { message: { type: 'CONNECT', key, destination, v: STREAM_VERSION, window } };
  }

  #message({ offset, data, fin }: Pick<Segment, 'offset' | 'data' | 'fin'>, ranges: number): Data {
    this.receive.acknowledged();
    const { ack, window } = this.receive;
    const have = this.receive.have(ranges);
    const base = { type: 'DATA', key: this.key, offset, data, ack, window, fin } as const;
    return have.length > 0 ? { ...base, have } : base;
  }

  /** Nothing is left to say. */
  get isSettled(): boolean {
    return this.#phase === 'over' && this.#handshakeAt === undefined;
  }

  /** The times at which `tick` or `pull` will have something to do without anything else happening. */
  get wakeTimes(): readonly (number | undefined)[] {
    const handshakeAt = this.#handshakeAt;
    if (this.#phase === 'over' && handshakeAt !== undefined) {
      return [handshakeAt, handshakeAt + RESET_TIMEOUT_MS];
    }
    if (this.#phase === 'opening') {
      return [handshakeAt, this.openedAt + SILENT_EXIT_MS, this.openedAt + OPEN_TIMEOUT_MS];
    }
    if (this.#phase !== 'open') return [];
    const stallAt = this.send.awaitsPeer ? this.#stallAt : undefined;
    return [handshakeAt, this.receive.ackAt, this.send.wakeAt, stallAt];
  }
}
