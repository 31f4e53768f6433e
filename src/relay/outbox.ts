// Events on their way to one relay: published, not yet answered by OK. Time-outs, pacing, latency.
// Sends through a port; what an answer means (AUTH, another relay) is decided by others.
import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { WakeTimer } from '../common/wake-timer.js';
import { MAX_UNCONFIRMED_BYTES } from '../limits.js';

/** Beyond this, publish() refuses: whoever publishes without regard to canPublish must not fill the memory. */
const MAX_BACKLOG_BYTES = 16 * MAX_UNCONFIRMED_BYTES;
/** A relay that takes no more stalls when an answer takes so long, or several times as long as usual. */
const LEAST_STALL_MS = 1_500;
const STALL_LATENCIES = 4;
/** Weight of the newest sample in the smoothed latency, as TCP does it (RFC 6298). */
const LATENCY_WEIGHT = 1 / 8;

export interface PublishResult {
  readonly ok: boolean;
  /** The relay's text, or `error: …` when there was no answer. */
  readonly reason: string;
}
export type OnResult = (result: PublishResult) => void;

export interface OutboxPort {
  readonly bufferedBytes: number;
  readonly heardAt: number;
  send(text: string, flushed?: () => void): void;
}

export interface OutboxOptions {
  readonly port: OutboxPort;
  readonly log: Logger;
  readonly okTimeoutMs: number;
  /** There is room again. */
  onDrain(): void;
  /** Nothing at all came from the relay for as long as an event had to wait. */
  onSilence(): void;
}

interface Unconfirmed {
  readonly frame: string;
  readonly bytes: number;
  readonly callbacks: OnResult[];
  sentAt: number;
  resent: boolean;
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** By event id, oldest first. */
  readonly #waiting = new Map<string, Unconfirmed>();
  #bytes = 0;
  #blocked = false;
  readonly #timer = new WakeTimer(() => this.#expire());
  #latencyMs: number | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get unconfirmedBytes(): number {
    return this.#bytes;
  }

  get okLatencyMs(): number | undefined {
    return this.#latencyMs;
  }

  get hasRoom(): boolean {
    return this.#isBelow(MAX_UNCONFIRMED_BYTES);
  }

  /** While there is no room: when the relay will have kept us waiting for too long, on performance.now(). */
  get stallsAt(): number | undefined {
    const [oldest] = this.#waiting.values();
    if (this.hasRoom || oldest === undefined) return undefined;
    return oldest.sentAt + Math.max(LEAST_STALL_MS, STALL_LATENCIES * (this.#latencyMs ?? 0));
  }

  /** Sends an event; `onResult` is called once, later. An event that is already on its way isn't sent twice. */
  send(verb: 'EVENT' | 'AUTH', event: NostrEvent, onResult: OnResult, maxFrameBytes: number): void {
    const known = this.#waiting.get(event.id);
    if (known !== undefined) {
      known.callbacks.push(onResult);
      return;
    }
    const frame = `["${verb}",${JSON.stringify(event)}]`;
    const bytes = Buffer.byteLength(frame);
    const refusal = this.#refusal(bytes, maxFrameBytes);
    if (refusal !== undefined) {
      this.refuse(onResult, refusal);
      return;
    }
    const entry = { frame, bytes, callbacks: [onResult], sentAt: 0, resent: false };
    this.#bytes += bytes;
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
    this.#transmit(id, entry);
    return true;
  }

  /** The relay's answer to an event; answers to others are ignored. */
  settle(id: string, result: PublishResult): void {
    const entry = this.#waiting.get(id);
    if (entry === undefined) return;
    this.#sample(performance.now() - entry.sentAt);
    this.#finish(id, entry, result);
    if (this.#waiting.size === 0) this.#timer.disarm();
    this.#checkDrain();
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
    this.#options.port.send(entry.frame, () => this.#checkDrain());
    this.#arm();
  }

  #finish(id: string, entry: Unconfirmed, result: PublishResult): void {
    this.#waiting.delete(id);
    this.#bytes -= entry.bytes;
    for (const callback of entry.callbacks) this.#notify(callback, result);
  }

  #notify(callback: OnResult, result: PublishResult): void {
    try {
      callback(result);
    } catch (error) {
      this.#options.log.error({ err: error }, 'a publisher failed on an answer');
    }
  }

  /** The map is in order of sending, and every event may wait equally long. */
  #arm(): void {
    const [oldest] = this.#waiting.values();
    this.#timer.arm(oldest && oldest.sentAt + this.#options.okTimeoutMs);
  }

  #expire(): void {
    const latest = performance.now() - this.#options.okTimeoutMs;
    let silent = false;
    for (const [id, entry] of [...this.#waiting]) {
      if (entry.sentAt > latest) break;
      silent ||= this.#options.port.heardAt < entry.sentAt;
      this.#finish(id, entry, { ok: false, reason: 'error: no answer' });
    }
    this.#arm();
    if (silent) this.#options.onSilence();
    else this.#checkDrain();
  }

  #isBelow(bytes: number): boolean {
    return this.#bytes < bytes && this.#options.port.bufferedBytes < bytes;
  }

  #checkDrain(): void {
    if (!this.#blocked || !this.#isBelow(MAX_UNCONFIRMED_BYTES / 2)) return;
    this.#blocked = false;
    this.#options.onDrain();
  }

  #sample(latencyMs: number): void {
    const smoothed = this.#latencyMs ?? latencyMs;
    this.#latencyMs = smoothed + (latencyMs - smoothed) * LATENCY_WEIGHT;
  }
}
