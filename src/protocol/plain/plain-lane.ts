// The plain messages of one stream, toward a peer that knows NIP-443 alone: one message on its way at a time,
// since nothing in it says the order. While the kind of the peer is still open, what was sent is kept, so that
// it can be said again in the reliable way. Pure; the halves belong to the stream.

import { NwsError } from '../../errors.js';
import { EARLY_DATA_BYTES } from '../../limits.js';
import type { ReceiveHalf } from '../stream/receive-half.js';
import type { Segment } from '../stream/sending/segment.js';
import type { SendHalf } from '../stream/sending/send-half.js';
import {
  PLAIN_ENDED_MS,
  PLAIN_GIVE_UP_MS,
  PLAIN_IDLE_MS,
  PLAIN_LONGEST_RETRY_MS,
  PLAIN_RETRY_MS,
} from '../stream/timeouts.js';
import type { Message } from '../wire/message.js';

/** A message that leaves in an event of its own, and the data in it. */
export interface PlainOutgoing {
  readonly message: Message;
  readonly segment?: Segment;
}

export interface PlainLaneOptions {
  readonly key: string;
  readonly destination: string;
  readonly send: SendHalf;
  readonly receive: ReceiveHalf;
  /** Nothing is said sooner than this after the peer's first data. */
  readonly firstReplyMs: number;
}

/** For how long, in ms, a peer that is treated as one of NIP-443 may turn out to be none. */
export interface PlainTrial {
  readonly ms: number;
  /** It was known for NIP-443 before. */
  readonly isKnown: boolean;
}

export class PlainLane {
  readonly #options: PlainLaneOptions;
  #mode: 'off' | 'trying' | 'settled' = 'off';
  #connect: Message | undefined;
  #isInAir = false;
  /** Everything below was sent and taken by a relay. */
  #sentTo = 0;
  #settleAt = Number.POSITIVE_INFINITY;
  #isKnown = false;
  #retryAt = 0;
  #failures = 0;
  #failingSince: number | undefined;
  #activeAt = 0;
  #isHeard = false;

  constructor(options: PlainLaneOptions) {
    this.#options = options;
  }

  /** The peer is not taken for one of NIP-443. */
  get isOff(): boolean {
    return this.#mode === 'off';
  }

  /** The peer is taken for one of NIP-443, for good. */
  get isSettled(): boolean {
    return this.#mode === 'settled';
  }

  /**
   * Begins to treat the peer as one of NIP-443.
   * @param connect to be sent before anything else
   * @param trial after so long without a sign of the other kind, that counts for good
   */
  start(now: number, connect?: Message, trial?: PlainTrial): void {
    if (this.#mode !== 'off') return;
    this.#mode = 'trying';
    this.#connect = connect;
    this.#settleAt = trial === undefined ? Number.POSITIVE_INFINITY : now + trial.ms;
    this.#isKnown = trial?.isKnown ?? false;
    this.#activeAt = now;
    const { send } = this.#options;
    send.loseAll();
    send.offer(EARLY_DATA_BYTES);
  }

  settle(now: number): void {
    if (this.#mode === 'settled') return;
    this.start(now);
    this.#mode = 'settled';
    this.#settleAt = Number.POSITIVE_INFINITY;
    const { send } = this.#options;
    send.offer(Number.MAX_SAFE_INTEGER);
    send.acknowledge(this.#sentTo, [], now);
  }

  /** It is no NIP-443 peer: whatever it was sent as to one has to be sent again. */
  stop(): void {
    if (this.#mode === 'off') return;
    this.#mode = 'off';
    this.#sentTo = 0;
    this.#options.send.loseAll();
  }

  /** Bytes of the peer, behind those that came before. Returns why the stream is over, if it is. */
  take(data: Buffer, now: number): NwsError | undefined {
    this.#activeAt = now;
    if (!this.#isHeard) this.#retryAt = now + this.#options.firstReplyMs;
    this.#isHeard = true;
    if (this.#options.receive.append(data)) return undefined;
    const text = 'the peer sends faster than this side reads, and knows no flow control';
    return new NwsError('connection_terminated', text);
  }

  /** Whether `pull` has something now. */
  ready(now: number): boolean {
    if (this.#mode === 'off' || this.#isInAir || now < this.#retryAt) return false;
    return this.#connect !== undefined || this.#options.send.ready;
  }

  /**
   * The next message. Nothing more comes until `done` was called for it.
   * @param maxBytes the most data in one message, given its destination
   */
  pull(now: number, maxBytes: (destination: string) => number): PlainOutgoing | undefined {
    if (!this.ready(now)) return undefined;
    const { key, destination, send } = this.#options;
    if (this.#connect !== undefined) {
      this.#isInAir = true;
      return { message: this.#connect };
    }
    const segment = send.pull(now, maxBytes(destination), true);
    if (segment === undefined) return undefined;
    if (segment.data.length === 0) {
      // The end of our direction: there is no word for it.
      this.#arrived(segment, now);
      return undefined;
    }
    this.#isInAir = true;
    return { message: { type: 'PLAIN', key, destination, data: segment.data }, segment };
  }

  /** All relays have answered for what `pull` gave out: one has it at least, or none. */
  done({ segment }: PlainOutgoing, ok: boolean, now: number): void {
    this.#isInAir = false;
    if (this.#mode === 'off') return;
    if (!ok) {
      if (segment !== undefined) this.#options.send.lose([segment]);
      this.#retryAt = now + Math.min(PLAIN_LONGEST_RETRY_MS, PLAIN_RETRY_MS * 2 ** this.#failures);
      this.#failures += 1;
      this.#failingSince ??= now;
      return;
    }
    this.#failures = 0;
    this.#failingSince = undefined;
    this.#activeAt = now;
    if (segment === undefined) this.#connect = undefined;
    else this.#arrived(segment, now);
  }

  #arrived(segment: Segment, now: number): void {
    this.#sentTo = segment.end;
    if (this.isSettled) this.#options.send.acknowledge(segment.end, [], now);
  }

  /** Time passes. Returns why the stream is over, if it is. */
  tick(now: number): NwsError | undefined {
    if (this.#mode === 'off') return undefined;
    if (this.#mode === 'trying' && now >= this.#settleAt && this.#maySettle) this.settle(now);
    if (this.#failingSince !== undefined && now - this.#failingSince >= PLAIN_GIVE_UP_MS) {
      return new NwsError('relay_refused', 'no relay takes our events');
    }
    if (!this.isSettled || now < this.#idleAt) return undefined;
    return new NwsError('connection_read_timeout', 'the peer has been silent for too long');
  }

  /** Where nothing is known, only what can't wait any longer: once settled, nothing can be said again. */
  get #maySettle(): boolean {
    const { send } = this.#options;
    return this.#isKnown || (send.queuedBytes > 0 && !send.ready && !this.#isInAir);
  }

  get #idleAt(): number {
    // Such a peer never says that it has ended.
    return this.#activeAt + (this.#options.send.finished ? PLAIN_ENDED_MS : PLAIN_IDLE_MS);
  }

  /** The times at which `tick` or `pull` will have something to do without anything else happening. */
  get wakeTimes(): readonly (number | undefined)[] {
    if (this.#mode === 'off') return [];
    const giveUpAt = this.#failingSince && this.#failingSince + PLAIN_GIVE_UP_MS;
    const idleAt = this.isSettled ? this.#idleAt : undefined;
    const settleAt = Number.isFinite(this.#settleAt) ? this.#settleAt : undefined;
    return [this.#retryAt, settleAt, giveUpAt, idleAt];
  }
}
