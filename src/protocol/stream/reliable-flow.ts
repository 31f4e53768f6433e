// How an open reliable stream moves: its data and acknowledgements as messages, and whether it gets anywhere.
// Pure; which phase the stream is in is the state machine's matter (stream-state.ts).

import type { Ack, Data } from '../wire/message.js';
import type { ReceiveHalf } from './receive-half.js';
import type { RoundTrip } from './round-trip.js';
import { EventFill } from './sending/event-fill.js';
import type { Segment } from './sending/segment.js';
import type { SendHalf } from './sending/send-half.js';
import type { Outgoing, Room } from './stream-types.js';
import { STALL_REPEATS, STALL_TIMEOUT_MS } from './timeouts.js';

/** With so many bytes our end may be the last word of a stream: it is kept to be said again. */
const LAST_WORD_BYTES = 256;

export class ReliableFlow {
  readonly #key: string;
  readonly #send: SendHalf;
  readonly #receive: ReceiveHalf;
  readonly #roundTrip: RoundTrip;
  readonly #fill = new EventFill();
  /** Without progress until then, the stream has stalled for good. */
  #stallAt = 0;
  #lastWord: Data | undefined;

  constructor(
    key: string,
    halves: { readonly send: SendHalf; readonly receive: ReceiveHalf },
    roundTrip: RoundTrip,
    now: number,
  ) {
    this.#key = key;
    this.#send = halves.send;
    this.#receive = halves.receive;
    this.#roundTrip = roundTrip;
    this.restart(now);
  }

  /**
   * Both directions have ended, and this says so. Nobody acknowledges it: a peer that doesn't get it says its own end again,
   * and is answered with this.
   */
  get lastWord(): Data | undefined {
    return this.#lastWord;
  }

  /** The time without progress starts now. */
  restart(now: number): void {
    const repeatsMs = STALL_REPEATS * this.#roundTrip.timeoutMs(1);
    this.#stallAt = now + Math.max(STALL_TIMEOUT_MS, repeatsMs);
  }

  /** Takes what the peer says to have, and the data. Returns what breaks the protocol, if anything does. */
  take(message: Ack | Data, now: number): string | undefined {
    const { ack, have = [], delay } = message;
    const progress = this.#send.acknowledge(ack, have, now, delay);
    if (progress === undefined) return 'acknowledged bytes that were never sent';
    this.#send.offer(message.window);
    // A peer that answers our question about its closed window is alive, however slow its reader is.
    if (progress) this.restart(now);
    // Who says how long it waited is told, too, and doesn't take it for the way.
    if (delay !== undefined) this.#receive.acks.delayMs = this.#roundTrip.ackDelayMs;
    if (message.type === 'ACK') return undefined;
    const { offset, data, fin, last } = message;
    const isLast = last === true && data.length <= LAST_WORD_BYTES;
    const reception = this.#receive.receive(offset, data, fin, now, isLast);
    if (isLast && this.#receive.hasEnd) this.#receive.acknowledged();
    return reception === 'violation' ? 'sent bytes outside of its window' : undefined;
  }

  /** Marks what timed out as lost. Returns whether the stream has stalled for good. */
  tick(now: number): boolean {
    this.#send.tick(now);
    if (!this.#send.awaitsPeer) this.restart(now);
    return this.#send.awaitsPeer && now >= this.#stallAt;
  }

  /** Whether something small is due. */
  urgent(now: number): boolean {
    return this.#receive.ackDue(now) || this.#send.probe(now);
  }

  /** Whether there is data to send now. */
  hasData(now: number): boolean {
    return this.#send.ready && !this.#fill.isWaiting(this.#send, now);
  }

  /** The next data, or undefined. See SendHalf.pull. */
  pullData(now: number, room: Room): Outgoing | undefined {
    const { maxBytes, maxRanges, isAlone, path } = room;
    // The time without progress starts when there is something to wait for.
    if (!this.#send.awaitsPeer) this.restart(now);
    const segment = this.#send.pull(now, maxBytes, isAlone, path);
    if (segment === undefined) return undefined;
    this.#fill.pulled(segment.data.length, maxBytes, isAlone, now);
    const isLast = this.#mayBeLast(segment) && this.#send.letGo(segment);
    const message = this.#data(segment, maxRanges, now);
    if (!isLast) return { message, segment };
    this.#lastWord = { ...message, last: true };
    return { message: this.#lastWord };
  }

  /** Whether both directions end with it, and our word about the peer's end goes along for the first time. */
  #mayBeLast({ fin, data }: Segment): boolean {
    const { hasEnd, hasSaidEnd } = this.#receive;
    return fin && data.length <= LAST_WORD_BYTES && hasEnd && !hasSaidEnd;
  }

  /** A question about a closed window, or an acknowledgement that no data carried. */
  pullSmall(now: number, { maxRanges }: Room): Outgoing | undefined {
    if (this.#send.probe(now)) {
      const offset = this.#send.pullProbe(now);
      const nothing = { offset, data: Buffer.alloc(0), fin: false };
      return { message: this.#data(nothing, maxRanges, now) };
    }
    return this.#receive.ackDue(now) ? this.pullAck(now, maxRanges) : undefined;
  }

  /** An acknowledgement, due or not. */
  pullAck(now: number, maxRanges: number): Outgoing {
    const acknowledgement = this.#acknowledgement(maxRanges, now);
    return { message: this.#lastWord ?? { type: 'ACK', key: this.#key, ...acknowledgement } };
  }

  #data(
    { offset, data, fin }: Pick<Segment, 'offset' | 'data' | 'fin'>,
    ranges: number,
    now: number,
  ): Data {
    const acknowledgement = this.#acknowledgement(ranges, now);
    return { type: 'DATA', key: this.#key, offset, data, fin, ...acknowledgement };
  }

  #acknowledgement(ranges: number, now: number): Pick<Ack, 'ack' | 'window' | 'have' | 'delay'> {
    this.#receive.acknowledged();
    const { ack, window, acks } = this.#receive;
    const have = this.#receive.have(ranges);
    return { ack, window, delay: acks.waitedMs(now), ...(have.length > 0 && { have }) };
  }

  /** The times at which `tick` or a pull will have something to do without anything else happening. */
  get wakeTimes(): readonly (number | undefined)[] {
    const stallAt = this.#send.awaitsPeer ? this.#stallAt : undefined;
    const fullAt = this.#send.ready ? this.#fill.until(this.#send) : undefined;
    return [this.#receive.ackAt, fullAt, this.#send.wakeAt, stallAt];
  }
}
