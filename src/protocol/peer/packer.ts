// Fills an event: answers and small writes of all streams first, then bulk data of one stream after the
// other in turn. One signature carries them all. Pure.

import type { RelayPath } from '../relay-path/relay-path.js';
import type { StreamState } from '../stream/stream-state.js';
import type { Outgoing } from '../stream/stream-types.js';
import type { Encoding } from '../wire/encoding.js';
import { MAX_MESSAGES, MAX_RANGES, type Message } from '../wire/message.js';
import type { ControlQueue } from './control-queue.js';
import type { PeerStreams } from './peer-streams.js';

/** Small writes go out beyond the limit of what may be on its way, but not without end. */
const SMALL_RESERVE_BYTES = 1024 * 1024;
/** Less room than this is left empty: nothing that a stream has to say is sure to fit. */
const LEAST_ROOM_BYTES = 200;

/** So many streams in a row whose next message doesn't fit: what room is left isn't worth asking more of them. */
const MAX_MISFITS = 4;

/** Acknowledgements ahead of their time in one event: it is others' room. */
const MAX_RIDERS = 32;

/** One message in an event, and whose it is when the event doesn't get through. */
export interface Parcel {
  readonly message: Message;
  readonly stream?: StreamState;
  readonly outgoing?: Outgoing;
}

/** What an event goes over. */
export interface Carrier {
  readonly path: RelayPath;
  /** Another path carries everything else than bulk data. */
  readonly isBeside: boolean;
  /** What the messages are written in. */
  readonly encoding: Encoding;
}

export interface Load extends Carrier {
  readonly streams: PeerStreams;
  /** Messages that belong to no stream. */
  readonly control: ControlQueue;
  /** How much may be on its way to the peer over all paths, in bytes. */
  readonly flightBytes: number;
  /** A question that a peer would long have answered that reads this encoding goes out once more. */
  readonly onRepeat: () => void;
}

/** The messages of the next event, as much as fits `capacityBytes`; empty where there is nothing. */
export function pack(load: Load, now: number, capacityBytes: number): Parcel[] {
  const { streams, control, path, flightBytes, isBeside } = load;
  const event = new Event(load, now, capacityBytes);
  const { inFlightBytes } = streams;
  const queues = streams.ready(now);
  const hasBulk = queues.bulk.size > 0;
  if (isBeside && !path.isProven) {
    if (queues.bulk.size > 0 && path.mayAsk(now)) event.add({ message: control.ask(path, now) });
    return event.parcels;
  }
  const serve = (queue: ReadonlySet<StreamState>): void => {
    for (const stream of queue) {
      if (event.isFull) return;
      event.fill(stream);
    }
  };
  if (!isBeside) {
    for (const stream of queues.alone) if (event.fill(stream)) return event.parcels;
    event.addControl();
    serve(queues.urgent);
    const { length } = event.parcels;
    if (inFlightBytes < flightBytes + SMALL_RESERVE_BYTES) serve(queues.small);
    path.flight.share(now, hasBulk && event.parcels.length > length);
  }
  if (!path.hasRoom && queues.bulk.size > 0) path.flight.reached();
  const mayBulk = path.hasRoom && inFlightBytes < flightBytes;
  const bulk = mayBulk ? queues.bulk : queues.urgentBulk;
  const leaves = event.parcels.length > 0 || bulk.size > 0;
  if (leaves && !isBeside) event.ride(queues.riders);
  serve(bulk);
  return event.parcels;
}

class Event {
  readonly parcels: Parcel[] = [];
  readonly #load: Load;
  readonly #now: number;
  #misfits = 0;
  room: number;

  constructor(load: Load, now: number, capacityBytes: number) {
    this.#load = load;
    this.#now = now;
    this.room = capacityBytes - load.encoding.emptyBytes;
  }

  get #hasRoom(): boolean {
    return this.room >= LEAST_ROOM_BYTES && this.parcels.length < MAX_MESSAGES;
  }

  get isFull(): boolean {
    return !this.#hasRoom || this.#misfits === MAX_MISFITS;
  }

  add(parcel: Parcel): void {
    this.parcels.push(parcel);
    this.room -= this.#load.encoding.messageBytes(parcel.message);
  }

  /** Adds what belongs to no stream. */
  addControl(): void {
    const { control, encoding } = this.#load;
    const { messages } = control;
    for (let [message] = messages; message !== undefined; [message] = messages) {
      if (encoding.messageBytes(message) > this.room && this.parcels.length > 0) break;
      this.add({ message });
      messages.shift();
    }
  }

  /** Adds acknowledgements that aren't due yet. */
  ride(riders: ReadonlySet<StreamState>): void {
    let left = MAX_RIDERS;
    for (const stream of riders) {
      if (left === 0 || this.isFull) return;
      left -= 1;
      const outgoing = stream.flow.pullAck(this.#now, 0);
      this.add({ message: outgoing.message, stream, outgoing });
      this.#load.streams.served(stream);
    }
  }

  /** Adds what the stream has to say, as far as it fits. Returns whether anything did. */
  fill(stream: StreamState): boolean {
    const before = this.parcels.length;
    const { encoding, control, path, onRepeat } = this.#load;
    while (this.#hasRoom) {
      // Ranges help the peer, but data comes first: they take an eighth of the room at the most.
      const most = Math.min(MAX_RANGES, Math.floor(this.room / 8 / encoding.rangeBytes));
      const maxRanges = stream.receive.hasGap ? most : 0;
      const maxBytes = Math.max(0, encoding.dataBytes(this.room, maxRanges));
      const isAlone = this.parcels.length === 0;
      const outgoing = stream.pull(this.#now, { maxBytes, maxRanges, isAlone, path });
      if (outgoing === undefined) break;
      // An exit that is there but still dialling has no other way to say so.
      const asks = outgoing.message.type === 'CONNECT' || outgoing.message.type === 'CONNECTR';
      if (asks && stream.attempts === 2) {
        control.ping(this.#now);
        onRepeat();
      }
      this.add({ message: outgoing.message, stream, outgoing });
    }
    const hasFilled = this.parcels.length > before;
    this.#misfits = hasFilled ? 0 : this.#misfits + 1;
    if (hasFilled) this.#load.streams.served(stream);
    return hasFilled;
  }
}
