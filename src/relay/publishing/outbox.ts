// Events on their way to one relay: published, and neither answered by OK nor confirmed by who got them. Time-outs,
// pacing, latency. Sends through a port; what an answer means (AUTH, another relay) is decided by others.
import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { WakeTimer } from '../../common/wake-timer.js';
import { MAX_UNCONFIRMED_BYTES } from '../../limits.js';
import { isEphemeral } from '../../protocol/wire/events.js';
import { boundIn, isTooLarge, mayRefuseEvent } from '../notices.js';
import type { Confirming } from './confirming.js';
import { OkLatency } from './ok-latency.js';

/** At a relay that confirms nothing, receivers confirm a round trip later, which takes more to fill. */
const MAX_UNCONFIRMED_MUTE_BYTES = 2 * MAX_UNCONFIRMED_BYTES;
/** How long an ephemeral event is kept for an answer of a relay that gives none. */
const MUTE_WAIT_MS = 500;
/** How long an answer may take after a NOTICE that may be a refusal. */
const NOTICE_MS = 500;
/** Beyond this, publish() refuses: whoever publishes without regard to canPublish must not fill the memory. */
const MAX_BACKLOG_BYTES = 4 * MAX_UNCONFIRMED_BYTES;
/** A relay that takes no more stalls when an answer takes so long, or several times as long as usual. */
const LEAST_STALL_MS = 1_500;
const STALL_LATENCIES = 4;
/** How long an end waits for answers to what was said last. */
const LAST_WORDS_MS = 1_000;

export interface PublishResult {
  readonly ok: boolean;
  /** The relay's text, or `error: …` when there was no answer. */
  readonly reason: string;
  /** The relay has said nothing, which is no refusal: whether the event arrived, only its receiver can tell. */
  readonly isUnanswered?: true;
}
export type OnResult = (result: PublishResult) => void;

export interface OutboxPort {
  readonly bufferedBytes: number;
  readonly heardAt: number;
  send(text: string | Buffer, flushed?: () => void): void;
}

export interface OutboxOptions {
  readonly port: OutboxPort;
  readonly log: Logger;
  readonly okTimeoutMs: number;
  readonly confirming: Confirming;
  /** There is room again. */
  onDrain(): void;
  /** Nothing at all came from the relay for as long as an event had to wait. */
  onSilence(): void;
}

interface Unconfirmed {
  readonly frame: Buffer;
  readonly isEphemeral: boolean;
  readonly bytes: number;
  readonly callbacks: OnResult[];
  sentAt: number;
  resent: boolean;
  /** A NOTICE that came since it was sent, which may be why there is no answer. */
  notice?: { readonly text: string; readonly at: number };
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** By event id, oldest first. */
  readonly #waiting = new Map<string, Unconfirmed>();
  /** Those of them that nothing shows the relay to have read, oldest first. */
  readonly #unread = new Map<string, Unconfirmed>();
  #bytes = 0;
  /** Largest event that was taken. */
  #largestTaken = 0;
  #unreadBytes = 0;
  #blocked = false;
  readonly #timer = new WakeTimer(() => this.#expire());
  readonly #latency = new OkLatency();
  #onEmpty: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Bytes of events that nothing shows the relay to have read. */
  get unconfirmedBytes(): number {
    return this.#unreadBytes;
  }

  get okLatencyMs(): number | undefined {
    return this.#latency.smoothedMs;
  }

  get hasRoom(): boolean {
    return this.#isBelow(this.#limitBytes);
  }

  get #limitBytes(): number {
    const { isMute } = this.#options.confirming;
    return isMute ? MAX_UNCONFIRMED_MUTE_BYTES : this.#latency.unconfirmedBytes;
  }

  /** While there is no room: when the relay will have kept us waiting for too long, on performance.now(). */
  get stallsAt(): number | undefined {
    const [oldest] = this.#unread.values();
    if (this.hasRoom || oldest === undefined) return undefined;
    return (
      oldest.sentAt + Math.max(LEAST_STALL_MS, STALL_LATENCIES * (this.#latency.smoothedMs ?? 0))
    );
  }

  /**
   * Sends an event; `onResult` is called once, later. An event that is already on its way isn't sent twice.
   * @param frame where that has been written already
   */
  send(
    verb: 'EVENT' | 'AUTH',
    event: NostrEvent,
    onResult: OnResult,
    maxFrameBytes: number,
    frame: Buffer = Buffer.from(JSON.stringify([verb, event])),
  ): void {
    const known = this.#waiting.get(event.id);
    if (known !== undefined) {
      known.callbacks.push(onResult);
      return;
    }
    const bytes = frame.length;
    const refusal = this.#refusal(bytes, maxFrameBytes);
    if (refusal !== undefined) {
      this.refuse(onResult, refusal);
      return;
    }
    const entry = {
      ...{ frame, bytes, isEphemeral: verb === 'EVENT' && isEphemeral(event.kind) },
      ...{ callbacks: [onResult], sentAt: 0, resent: false },
    };
    this.#bytes += bytes;
    this.#unreadBytes += bytes;
    this.#transmit(event.id, entry);
    if (!this.hasRoom) this.#blocked = true;
  }

  /** Answers, later, for an event that isn't sent at all. */
  refuse(onResult: OnResult, reason: string): void {
    queueMicrotask(() => this.#notify(onResult, { ok: false, reason }));
  }

  /** Sends an event a second and last time; false if it isn't waiting, or was resent before. */
  resend(id: string): boolean {
    const entry = this.#waiting.get(id);
    if (entry === undefined || entry.resent) return false;
    entry.resent = true;
    this.#waiting.delete(id);
    if (!this.#unread.delete(id)) this.#unreadBytes += entry.bytes;
    this.#transmit(id, entry);
    return true;
  }

  /** The relay's answer to an event; answers to others are ignored. */
  settle(id: string, result: PublishResult): void {
    const { confirming } = this.#options;
    const entry = this.#waiting.get(id);
    if (entry === undefined) {
      confirming.answeredLate(id);
      return;
    }
    if (entry.isEphemeral) confirming.answered();
    this.#latency.sample(performance.now() - entry.sentAt);
    this.#conclude(id, entry, result);
  }

  /** The receiver has it, whatever the relay says or doesn't. */
  delivered(id: string): void {
    const entry = this.#waiting.get(id);
    if (entry === undefined) return;
    if (entry.isEphemeral) this.#options.confirming.delivered(id);
    this.#conclude(id, entry, { ok: true, reason: '' });
  }

  /** A NOTICE names no event: those that get no answer behind it were refused by it. */
  onNotice(text: string): void {
    if (!mayRefuseEvent(text)) return;
    const at = performance.now();
    for (const entry of this.#waiting.values()) {
      const least = boundIn(text, entry.bytes) ?? this.#largestTaken;
      if (entry.notice !== undefined || (isTooLarge(text) && entry.bytes <= least)) continue;
      entry.notice = { text, at };
      this.#timer.arm(this.#expiresAt(entry));
    }
  }

  #conclude(id: string, entry: Unconfirmed, result: PublishResult): void {
    if (this.#unread.has(id)) this.#readUpTo(id);
    if (result.ok) this.#largestTaken = Math.max(this.#largestTaken, entry.bytes);
    this.#finish(id, entry, result);
    if (this.#waiting.size === 0) this.#timer.disarm();
    this.#checkDrain();
  }

  /** A relay reads in the order in which we write: what was sent before this isn't in its queue any more. */
  #readUpTo(id: string): void {
    for (const [earlier, { bytes }] of this.#unread) {
      this.#unread.delete(earlier);
      this.#unreadBytes -= bytes;
      if (earlier === id) return;
    }
  }

  /**
   * Resolves when every event has its answer, or after a second. Relays drop what they have not taken yet when its
   * writer hangs up, and the last words are the RESETs of streams. One that confirms nothing isn't waited for.
   */
  async answered(): Promise<void> {
    if (this.#waiting.size === 0 || this.#options.confirming.isMute) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LAST_WORDS_MS);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Everything on its way has failed: the connection is gone. */
  failAll(reason: string): void {
    this.#timer.disarm();
    this.#blocked = false;
    for (const [id, entry] of [...this.#waiting]) this.#finish(id, entry, { ok: false, reason });
  }

  #refusal(bytes: number, maxFrameBytes: number): string | undefined {
    if (bytes > maxFrameBytes) return 'error: the event is larger than the relay takes';
    if (this.#bytes + bytes > MAX_BACKLOG_BYTES) return 'error: too much is waiting for this relay';
    return undefined;
  }

  #transmit(id: string, entry: Unconfirmed): void {
    entry.sentAt = performance.now();
    this.#waiting.set(id, entry);
    this.#unread.set(id, entry);
    this.#options.port.send(entry.frame, () => this.#checkDrain());
    this.#timer.arm(this.#expiresAt(entry));
  }

  #finish(id: string, entry: Unconfirmed, result: PublishResult): void {
    this.#waiting.delete(id);
    this.#bytes -= entry.bytes;
    if (this.#unread.delete(id)) this.#unreadBytes -= entry.bytes;
    for (const callback of entry.callbacks) this.#notify(callback, result);
    if (this.#waiting.size === 0) this.#onEmpty?.();
  }

  #notify(callback: OnResult, result: PublishResult): void {
    try {
      callback(result);
    } catch (error) {
      this.#options.log.error({ err: error }, 'a publisher failed on an answer');
    }
  }

  #expiresAt({ sentAt, isEphemeral: mayBeUnanswered, notice }: Unconfirmed): number {
    const { okTimeoutMs, confirming } = this.#options;
    if (notice !== undefined) {
      return Math.min(
        sentAt + okTimeoutMs,
        notice.at + NOTICE_MS + 2 * (this.#latency.smoothedMs ?? 0),
      );
    }
    const isInVain = mayBeUnanswered && confirming.isMute;
    return sentAt + (isInVain ? Math.min(MUTE_WAIT_MS, okTimeoutMs) : okTimeoutMs);
  }

  #expire(): void {
    const { port, confirming, onSilence } = this.#options;
    const now = performance.now();
    let silent = false;
    for (const [id, entry] of [...this.#waiting]) {
      if (this.#expiresAt(entry) > now) continue;
      if (entry.notice !== undefined) {
        this.#finish(id, entry, { ok: false, reason: entry.notice.text });
        continue;
      }
      silent ||= port.heardAt < entry.sentAt;
      if (entry.isEphemeral) confirming.unanswered();
      this.#finish(id, entry, { ok: false, reason: 'error: no answer', isUnanswered: true });
    }
    for (const entry of this.#waiting.values()) this.#timer.arm(this.#expiresAt(entry));
    if (silent) onSilence();
    this.#checkDrain();
  }

  #isBelow(bytes: number): boolean {
    return this.#unreadBytes < bytes && this.#options.port.bufferedBytes < bytes;
  }

  #checkDrain(): void {
    if (!this.#blocked || !this.#isBelow(this.#limitBytes / 2)) return;
    this.#blocked = false;
    this.#options.onDrain();
  }
}
