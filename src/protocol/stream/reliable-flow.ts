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

export class ReliableFlow {
  readonly #key: string;
  readonly #send: SendHalf;
  readonly #receive: ReceiveHalf;
  readonly #roundTrip: RoundTrip;
  readonly #fill = new EventFill();
  /** Without progress until then, the stream has stalled for good. */
  #stallAt = 0;

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

  /** The time without progress starts now. */
  restart(now: number): void {
    const repeatsMs = STALL_REPEATS * this.#roundTrip.timeoutMs(1);
    this.#stallAt = now + Math.max(STALL_TIMEOUT_MS, repeatsMs);
  }

  /** Takes what the peer says to have, and the data. Returns what breaks the protocol, if anything does. */
  take(message: Ack | Data, now: number): string | undefined {
    const progress = this.#send.acknowledge(message.ack, message.have ?? [], now);
    if (progress === undefined) return 'acknowledged bytes that were never sent';
    this.#send.offer(message.window);
    // A peer that answers our question about its closed window is alive, however slow its reader is.
    if (progress || this.#send.inFlightBytes === 0) this.restart(now);
    if (message.type === 'ACK') return undefined;
    const { offset, data, fin } = message;
    const reception = this.#receive.receive(offset, data, fin, now);
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
    return { message: this.#data(segment, maxRanges), segment };
  }

  /** A question about a closed window, or an acknowledgement that no data carried. */
  pullSmall(now: number, { maxRanges }: Room): Outgoing | undefined {
    if (this.#send.probe(now)) {
      const offset = this.#send.pullProbe(now);
      return { message: this.#data({ offset, data: Buffer.alloc(0), fin: false }, maxRanges) };
    }
    if (!this.#receive.ackDue(now)) return undefined;
    return { message: { type: 'ACK', key: this.#key, ...this.#acknowledgement(maxRanges) } };
  }

  #data({ offset, data, fin }: Pick<Segment, 'offset' | 'data' | 'fin'>, ranges: number): Data {
    return { type: 'DATA', key: this.#key, offset, data, fin, ...this.#acknowledgement(ranges) };
  }

  #acknowledgement(ranges: number): Pick<Ack, 'ack' | 'window' | 'have'> {
    this.#receive.acknowledged();
    const { ack, window } = this.#receive;
    const have = this.#receive.have(ranges);
    return { ack, window, ...(have.length > 0 && { have }) };
  }

  /** The times at which `tick` or a pull will have something to do without anything else happening. */
  get wakeTimes(): readonly (number | undefined)[] {
    const stallAt = this.#send.awaitsPeer ? this.#stallAt : undefined;
    const fullAt = this.#send.ready ? this.#fill.until : undefined;
    return [this.#receive.ackAt, fullAt, this.#send.wakeAt, stallAt];
  }
}
