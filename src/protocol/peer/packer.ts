// Fills an event: answers and small writes of all streams first, then bulk data of one stream after the
// other in turn. One signature carries them all. Pure.

import type { Path } from '../path/path.js';
import type { StreamState } from '../stream/stream-state.js';
import type { Outgoing } from '../stream/stream-types.js';
import { encodeMessage, MAX_RANGES } from '../wire/message.js';
import type { ControlQueue } from './control-queue.js';
import { SMALL_BYTES } from './peer-streams.js';

/** Small writes go out beyond the limit of what may be on its way, but not without end. */
const SMALL_RESERVE_BYTES = 1024 * 1024;
/** Room that a data message needs around its data, and around each range of `have`, at the most. */
const DATA_HEAD_BYTES = 200;
const RANGE_BYTES = 36;

/** One message in an event: its JSON, and whose it is when the event doesn't get through. */
export interface Parcel {
  readonly json: string;
  readonly stream?: StreamState;
  readonly outgoing?: Outgoing;
}

export interface Load {
  /** In turn: a bulk stream that was served goes to the end. */
  readonly streams: Map<string, StreamState>;
  /** Messages that belong to no stream. */
  readonly control: ControlQueue;
  /** What carries the event. */
  readonly path: Path;
  /** How much may be on its way to the peer over all paths, in bytes. */
  readonly flightBytes: number;
  /** Another path carries everything else. */
  readonly bulkOnly: boolean;
}

/** The messages of the next event, as much as fits `capacityBytes` of JSON; empty where there is nothing. */
export function pack(load: Load, now: number, capacityBytes: number): Parcel[] {
  const { streams, control, path, flightBytes, bulkOnly } = load;
  const event = new Event(load, now, capacityBytes);
  if (!bulkOnly) {
    for (const stream of streams.values()) {
      if (stream.goesAlone(now) && event.fill(stream)) return event.parcels;
    }
    const { messages } = control;
    for (let [message] = messages; message !== undefined; [message] = messages) {
      const json = encodeMessage(message);
      if (json.length > event.room && event.parcels.length > 0) break;
      event.add({ json });
      messages.shift();
    }
  }
  let inFlightBytes = 0;
  for (const { send } of streams.values()) inFlightBytes += send.inFlightBytes;
  const maySmall = inFlightBytes < flightBytes + SMALL_RESERVE_BYTES;
  const bulk: StreamState[] = [];
  for (const stream of streams.values()) {
    const { queuedBytes, lostBytes } = stream.send;
    const isSmall = maySmall && queuedBytes + lostBytes <= SMALL_BYTES;
    if (stream.hasData && !isSmall) bulk.push(stream);
    else if (!bulkOnly && (stream.hasData || stream.urgent(now))) event.fill(stream);
  }
  if (!path.hasRoom && bulk.length > 0) path.flight.reached();
  const mayBulk = path.hasRoom && inFlightBytes < flightBytes;
  for (const stream of bulk) {
    if (!mayBulk && stream.send.lostBytes === 0 && !stream.urgent(now)) continue;
    if (!event.fill(stream)) break;
    streams.delete(stream.key);
    streams.set(stream.key, stream);
  }
  return event.parcels;
}

class Event {
  readonly parcels: Parcel[] = [];
  readonly #load: Load;
  readonly #now: number;
  room: number;

  constructor(load: Load, now: number, capacityBytes: number) {
    this.#load = load;
    this.#now = now;
    this.room = capacityBytes - '[]'.length;
  }

  add(parcel: Parcel): void {
    this.parcels.push(parcel);
    this.room -= parcel.json.length + ','.length;
  }

  /** Adds what the stream has to say, as far as it fits. Returns whether anything did. */
  fill(stream: StreamState): boolean {
    const before = this.parcels.length;
    for (;;) {
      // Ranges help the peer, but data comes first: they take an eighth of the room at the most.
      const ranges = Math.min(MAX_RANGES, Math.floor(this.room / 8 / RANGE_BYTES));
      const head = DATA_HEAD_BYTES + RANGE_BYTES * ranges;
      if (this.room < head) break;
      const maxBytes = Math.floor((this.room - head) / 4) * 3;
      const isAlone = this.parcels.length === 0;
      const outgoing = stream.pull(this.#now, maxBytes, ranges, isAlone, this.#load.path);
      if (outgoing === undefined) break;
      // An exit that is there but still dialling has no other way to say so.
      const asks = outgoing.message.type === 'CONNECT' || outgoing.message.type === 'CONNECTR';
      if (asks && stream.attempts === 2) this.#load.control.ping(this.#now);
      this.add({ json: encodeMessage(outgoing.message), stream, outgoing });
    }
    return this.parcels.length > before;
  }
}
