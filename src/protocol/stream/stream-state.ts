// A stream as a state machine: opening, two halves, the end. Pure: messages, bytes and the time come in; messages
// go out when somebody pulls them. What has a state of its own is apart (opening-state, reliable-flow, plain-lane,
// owed-answer, the halves); here is the one lifecycle that decides which of them speaks, and so it stays in one file.

import { NwsError } from '../../errors.js';
import { EARLY_DATA_BYTES } from '../../limits.js';
import { PlainLane } from '../plain/plain-lane.js';
import type { RelayPath } from '../relay-path/relay-path.js';
import type { Ack, Connect, ConnectR, Data, Open, PlainData, Reset } from '../wire/message.js';
import { OpeningState } from './opening-state.js';
import { OwedAnswer } from './owed-answer.js';
import { ReceiveHalf } from './receive-half.js';
import { ReliableFlow } from './reliable-flow.js';
import { errorOfReset, replaced, resetFor, violationOf } from './reset.js';
import { SendHalf } from './sending/send-half.js';
import type { Outgoing, Phase, Room, StreamOptions } from './stream-types.js';
import { PLAIN_FIRST_REPLY_MS } from './timeouts.js';

export class StreamState {
  readonly key: string;
  readonly destination: string;
  readonly send: SendHalf;
  readonly receive: ReceiveHalf;
  readonly reverse: StreamOptions['reverse'];
  readonly #opening: OpeningState;
  readonly flow: ReliableFlow;
  #phase: Phase;
  #error: NwsError | undefined;
  /** Where the peer knows NIP-443 alone, or may do so: how bytes go to it. */
  readonly #plain: PlainLane;
  /** OPEN, or RESET where it is over. */
  readonly #answer = new OwedAnswer();
  readonly #touched: () => void;
  #isLeft = false;

  private constructor(phase: Phase, options: StreamOptions) {
    this.key = options.key;
    this.destination = options.destination;
    this.reverse = options.reverse;
    this.#phase = phase;
    this.#opening = new OpeningState(options);
    this.#touched = () => options.onTouched?.(options.key);
    this.send = new SendHalf(options.roundTrip, options.sendLimit, this.#touched);
    // An exit's first window is what any entry may send early; an entry's is whatever it says in CONNECT.
    const first = phase === 'dialling' ? EARLY_DATA_BYTES : 0;
    this.receive = new ReceiveHalf(options.windowBytes, first, options.memory, this.#touched);
    const { key, send, receive } = this;
    const { plainName: destination } = this.#opening;
    const firstReplyMs = phase === 'dialling' ? PLAIN_FIRST_REPLY_MS : 0;
    this.#plain = new PlainLane({ key, destination, send, receive, firstReplyMs });
    this.flow = new ReliableFlow(this.key, this, options.roundTrip, options.now);
    if (options.peerKind !== 'plain') return;
    if (phase === 'opening') this.#tryPlain(options.now);
    else this.#settlePlain(options.now);
  }

  /** The entry's side of a new stream: a question to the exit is due. */
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

  /** How often the exit was asked to open it. */
  get attempts(): number {
    return this.#opening.attempts;
  }

  /** How bytes go to a peer that knows NIP-443 alone, or may do so. */
  get plain(): PlainLane | undefined {
    const isUsed = !this.#plain.isOff && (this.#phase === 'open' || this.#phase === 'opening');
    return isUsed ? this.#plain : undefined;
  }

  /** The peer is known to be of NIP-443: it acknowledges nothing and answers no question. */
  get isPlain(): boolean {
    return this.#plain.isSettled;
  }

  /** What is to be said has to be alone in its event. */
  goesAlone(now: number): boolean {
    return this.#phase === 'opening' && this.#opening.goesAlone && this.#opening.isDue(now);
  }

  #tryPlain(now: number): void {
    const question = this.#opening.plainQuestion(this.receive.window);
    this.#plain.start(now, question, this.#opening.plainTrial);
  }

  #settlePlain(now: number): void {
    this.#plain.settle(now);
    if (this.#phase === 'opening') this.#phase = 'open';
  }

  /** The exit's target is connected. */
  accept(now: number): void {
    if (this.#phase !== 'dialling') return;
    this.#phase = 'open';
    this.flow.restart(now);
    if (this.#plain.isOff) this.#answer.owe(now);
    this.#touched();
  }

  /** Ends both directions now and tells the peer, if it understands that. */
  reset(error: NwsError, now: number): void {
    if (this.#phase === 'over') return;
    this.#end(error);
    if (!this.isPlain) this.#answer.owe(now);
  }

  /** Ends both directions without telling the peer: it ended them, is gone, or they go on elsewhere. */
  abandon(error?: NwsError): void {
    if (this.#phase !== 'over') this.#end(error);
  }

  /** Nobody reads any more; what was written still goes out. */
  leave(): void {
    this.#isLeft = true;
    this.#touched();
  }

  #end(error: NwsError | undefined): void {
    this.#phase = 'over';
    this.#error = error;
    this.#answer.clear();
    this.#touched();
  }

  /** The peer is known to speak reliable streams, or to know NIP-443 alone. */
  learn(reliable: boolean, now: number): void {
    if (this.#phase !== 'opening') return;
    this.#opening.learn(reliable, now);
    if (reliable && this.isPlain) this.reset(replaced(), now);
    else if (reliable) this.#plain.stop();
  }

  /** Takes a message of the peer for this stream. */
  take(message: Connect | ConnectR | Open | Data | PlainData | Ack | Reset, now: number): void {
    if (this.#phase === 'over') return;
    if (message.type === 'PLAIN') this.#takePlain(message, now);
    else if (message.type === 'CONNECT' || message.type === 'CONNECTR') {
      // Our answer was lost, or it is a repeat from before our answer.
      if (this.#phase === 'open' && this.#plain.isOff && !this.#answer.isOwed)
        this.#answer.owe(now);
    } else if (message.type === 'RESET') {
      this.abandon(errorOfReset(message));
    } else if (this.isPlain) {
      this.reset(replaced(), now);
    } else {
      this.#opened(now);
      if (message.type === 'OPEN') this.send.offer(message.window);
      else {
        if (message.type === 'DATA') this.#answer.waitForData(now);
        const violation = this.flow.take(message, now);
        if (violation !== undefined) this.reset(violationOf(violation), now);
      }
    }
  }

  #takePlain({ data }: PlainData, now: number): void {
    // An entry that took us for a NIP-443 peer says it again in our way.
    if (this.#plain.isOff && this.#phase !== 'opening') return;
    this.#settlePlain(now);
    const failure = this.#plain.take(data, now);
    if (failure !== undefined) this.abandon(failure);
  }

  /** Data or acknowledgements of an exit say that it is open as well as OPEN does, which they may overtake. */
  #opened(now: number): void {
    if (this.#phase !== 'opening') return;
    this.#phase = 'open';
    this.flow.restart(now);
    this.#plain.stop();
    this.#opening.answered(now);
  }

  /** Time passes: what timed out is marked lost, and a stream without progress ends. See PeerState.obstacle. */
  tick(now: number, peerHeardAt: number, obstacle?: NwsError): void {
    if (this.#phase === 'opening') this.#checkOpening(now, peerHeardAt, obstacle);
    if (this.#phase === 'over') this.#answer.expire(now);
    if (this.plain !== undefined) this.#checkPlain(this.plain, now, peerHeardAt, obstacle);
    else if (this.#phase === 'open' && this.flow.tick(now)) {
      this.reset(new NwsError('connection_timeout', 'the peer stopped answering'), now);
    }
  }

  #checkOpening(now: number, peerHeardAt: number, obstacle?: NwsError): void {
    const failure = this.#opening.failure(now, peerHeardAt);
    if (failure?.code === 'connection_timeout') this.reset(failure, now);
    else if (failure !== undefined) this.abandon(obstacle ?? failure);
    // A question that no relay takes says nothing about the exit.
    else if (obstacle === undefined && this.#plain.isOff && this.#opening.isPlainDue(now))
      this.#tryPlain(now);
  }

  #checkPlain(plain: PlainLane, now: number, peerHeardAt: number, obstacle?: NwsError): void {
    const failure = plain.tick(now);
    // An exit that was never heard of may not be there at all: until it is, the stream counts as opening.
    if (plain.isSettled && Number.isFinite(peerHeardAt)) this.#settlePlain(now);
    if (failure?.code === 'relay_refused') this.abandon(obstacle ?? failure);
    else if (failure !== undefined) this.abandon(failure);
  }

  /** Both directions have ended and nothing is left to say. */
  settle(): void {
    if (this.#phase !== 'open') return;
    // The bytes take another way, so here it is over once the peer has our word.
    if (this.reverse !== undefined && !this.#answer.isOwed) this.#end(undefined);
    if (!this.send.finished) return;
    // A NIP-443 peer never ends its direction: it is over when nobody wants to hear more.
    const isOver = this.isPlain
      ? this.#isLeft
      : this.receive.finished && this.receive.ackAt === undefined;
    if (isOver) this.#end(undefined);
  }

  /** What carried our messages, this path or all of them, is gone: what is in flight there is sent again. */
  relink(now: number, path?: RelayPath): void {
    if (!this.#plain.isOff) return;
    this.send.loseAll(path);
    if (this.#phase === 'open' && this.receive.acks.isRecent(now)) this.receive.acknowledge(now);
    if (this.#phase === 'opening') this.#opening.askAgain(now);
  }

  /** This message did not get through, for certain: it is due again. */
  lost({ message, segment }: Outgoing, now: number): void {
    if (segment !== undefined) this.send.lose([segment]);
    else if (message.type === 'ACK') this.receive.acknowledge(now);
    else if (message.type === 'RESET') this.#answer.owe(now);
    else if (message.type === 'OPEN' && this.#phase === 'open') this.#answer.owe(now);
    else if (this.#phase === 'opening') this.#opening.refused(now);
  }

  /** Whether `pull` has something now, apart from large data. */
  urgent(now: number): boolean {
    if (this.#phase === 'opening') return this.#opening.isDue(now);
    if (this.#answer.isDue(now)) return true;
    if (this.#phase !== 'open' || !this.#plain.isOff) return false;
    return this.flow.urgent(now);
  }

  /** Whether there is data to send now, other than in the plain way. */
  hasData(now: number): boolean {
    if (!this.#plain.isOff) return false;
    if (this.#phase === 'open') return this.flow.hasData(now);
    // Only data from offset 0 may be ahead of its CONNECT without being taken for data of an unknown stream.
    return this.#phase === 'opening' && this.send.ready && this.send.atStart;
  }

  /** The next message, or undefined. See SendHalf.pull. */
  pull(now: number, room: Room): Outgoing | undefined {
    if (this.#phase === 'opening' && this.#opening.isDue(now)) return this.#ask(now);
    const mayData = this.hasData(now) && room.maxBytes > 0;
    if (this.#answer.isDue(now) || (this.#answer.isOwed && mayData)) return this.#pullAnswer();
    if (this.#phase !== 'open' && this.#phase !== 'opening') return undefined;
    const data = mayData && this.flow.pullData(now, room);
    if (data) return data;
    if (this.#phase === 'opening' || !this.#plain.isOff) return undefined;
    return this.flow.pullSmall(now, room);
  }

  #ask(now: number): Outgoing {
    // Whatever went out with a CONNECT that nobody answered goes out with this one again.
    if (this.#opening.attempts > 0 && this.#plain.isOff) this.send.loseAll();
    return { message: this.#opening.pull(now, this.receive.window) };
  }

  #pullAnswer(): Outgoing {
    this.#answer.clear();
    if (this.#phase === 'over') return { message: resetFor(this.key, this.#error) };
    return { message: this.#opening.answer(this.receive.window) };
  }

  /** Nothing is left to say. */
  get isSettled(): boolean {
    return this.#phase === 'over' && !this.#answer.isOwed;
  }

  /** The times at which `tick` or `pull` will have something to do without anything else happening. */
  get wakeTimes(): readonly (number | undefined)[] {
    const plain = this.plain?.wakeTimes ?? [];
    const { dueAt, expiresAt } = this.#answer;
    if (this.#phase === 'over') return [dueAt, expiresAt];
    if (this.#phase === 'opening') return [...this.#opening.wakeTimes, ...plain];
    if (this.#phase !== 'open' || !this.#plain.isOff) return plain;
    return [dueAt, ...this.flow.wakeTimes];
  }
}
