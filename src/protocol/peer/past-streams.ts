// Streams that are over: remembered for a while, so that a late repeat gets the right answer and a replayed
// CONNECT opens nothing. Pure.

import { BoundedMap } from '../../common/bounded.js';
import { STREAM_VERSION } from '../../limits.js';
import { resetFor } from '../stream/reset.js';
import type { StreamState } from '../stream/stream-state.js';
import type { Message } from '../wire/message.js';

/** How long: a CONNECT may come again for as long as its event is young enough, plus late repeats. */
const PAST_MS = 180_000;
/** How many; past this the oldest is forgotten first. */
const MAX_PAST = 16_384;

export class PastStreams {
  readonly #byKey = new BoundedMap<
    string,
    { readonly until: number; readonly answer: Message | undefined }
  >(MAX_PAST);

  get size(): number {
    return this.#byKey.size;
  }

  remember(stream: StreamState, role: 'entry' | 'exit', now: number): void {
    this.note(stream.key, now, lateAnswer(stream, role));
  }

  /** What comes for this key opens nothing, and gets this answer or none. */
  note(key: string, now: number, answer?: Message): void {
    this.#byKey.set(key, { until: now + PAST_MS, answer });
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** What a late message is answered with, if with anything. */
  answer(message: Message): Message | undefined {
    const { type, key } = message;
    const answer = this.#byKey.get(key)?.answer;
    if (type === 'RESET' || type === 'PLAIN' || ('last' in message && message.last))
      return undefined;
    // An ACK is no question, unless it shows that the peer never heard of the end.
    return type === 'ACK' && answer?.type !== 'RESET' ? undefined : answer;
  }

  forgetOld(now: number): void {
    for (const [key, { until }] of this.#byKey) {
      if (until > now) return;
      this.#byKey.delete(key);
    }
  }

  /** When the oldest is forgotten, in ms. */
  get wakeAt(): number | undefined {
    const oldest = this.#byKey.values().next();
    return oldest.done ? undefined : oldest.value.until;
  }
}

/** What late repeats for a stream that is over are answered with. */
function lateAnswer(stream: StreamState, role: 'entry' | 'exit'): Message | undefined {
  const { key, error, isPlain } = stream;
  const { lastWord } = stream.flow;
  // Its peer would not understand it.
  if (isPlain) return undefined;
  if (error !== undefined) return resetFor(key, error);
  if (lastWord !== undefined) return lastWord;
  const { ack, window } = stream.receive;
  // Its bytes take another way, so for the relays it is over as soon as it is open.
  const isHandedOver = stream.reverse !== undefined && role === 'exit';
  if (isHandedOver) return { type: 'OPEN', key, v: STREAM_VERSION, window };
  return { type: 'ACK', key, ack, window };
}
