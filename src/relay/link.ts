// A link: one relay as the rest of the program sees it. Joins the socket (socket.ts), events on
// their way (outbox.ts), subscriptions and AUTH; gives each frame to the one it is for.
import { EventEmitter } from 'node:events';
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { DEFAULT_EVENT_BYTES, DEFAULT_FRAME_BYTES } from '../limits.js';
import { Authenticator } from './auth.js';
import { RelaySocket } from './connection/socket.js';
import { LinkCounts } from './counts.js';
import { parseRelayFrame, type RelayFrame } from './frame.js';
import type { RelayLink, RelayLinkEvents, RelayLinkOptions } from './link-types.js';
import { eventLimitBytes, fetchRelayInformation } from './nip11.js';
import { Confirming, type ConfirmingHabit } from './publishing/confirming.js';
import { type OnResult, Outbox } from './publishing/outbox.js';
import { refusesTime, withClocks } from './relay-clock.js';
import {
  type Subscription,
  type SubscriptionHandlers,
  Subscriptions,
} from './subscribing/subscriptions.js';

export type { AuthSigners, RelayLink, RelayLinkEvents, RelayLinkOptions } from './link-types.js';
export type { PublishResult } from './publishing/outbox.js';
export type { Subscription, SubscriptionHandlers } from './subscribing/subscriptions.js';

/** How long a relay may take to answer an event; strfry takes a few milliseconds. */
const OK_TIMEOUT_MS = 10_000;
/** What stands around an event in a frame. */
const FRAME_OVERHEAD_BYTES = 128;

export class WebSocketLink extends EventEmitter<RelayLinkEvents> implements RelayLink {
  readonly url: string;
  readonly counts: LinkCounts;
  readonly #options: RelayLinkOptions;
  readonly #log: Logger;
  readonly #socket: RelaySocket;
  readonly #confirming: Confirming;
  readonly #outbox: Outbox;
  readonly #subscriptions: Subscriptions;
  readonly #auth: Authenticator;
  readonly #closing = new AbortController();
  #eventLimitBytes: number;
  #informed = false;
  /** Under way: the relay's clock beside ours. */
  #clocks: Promise<string> | undefined;
  #lastError: string | undefined;
  #troubleReported = false;
  #ignoredFrames = 0;

  constructor(options: RelayLinkOptions) {
    super();
    this.setMaxListeners(0); // every session and query of the process listens here
    this.url = options.url;
    this.counts = options.counts ?? new LinkCounts();
    this.#options = options;
    this.#log = options.log;
    this.#eventLimitBytes = options.eventLimitBytes ?? DEFAULT_EVENT_BYTES;
    const { url, log, agentFor, keepAliveMs } = options;
    this.#socket = new RelaySocket({ url, agentFor, keepAliveMs });
    this.#confirming = new Confirming((habit) =>
      log.info({ relay: url, habit }, 'relay leaves events unconfirmed: what arrives tells'),
    );
    this.#outbox = new Outbox({
      port: this.#socket,
      log,
      okTimeoutMs: options.okTimeoutMs ?? OK_TIMEOUT_MS,
      confirming: this.#confirming,
      onDrain: () => this.emit('drain'),
      onSilence: () => this.#onSilence(),
    });
    this.#subscriptions = new Subscriptions({
      log,
      url,
      send: (text) => this.#socket.send(text),
      onHearing: () => this.emit('hearing'),
    });
    this.#auth = new Authenticator({
      url: () => this.#socket.url,
      log,
      signers: () => options.authSigners?.(url) ?? [],
      send: (event, onResult) => this.#outbox.send('AUTH', event, onResult, this.#maxFrameBytes),
    });
    this.#listen();
  }

  get isUp(): boolean {
    return this.#socket.isOpen;
  }

  get unconfirmedBytes(): number {
    return this.#outbox.unconfirmedBytes;
  }

  get canPublish(): boolean {
    return this.isUp && this.#outbox.hasRoom;
  }

  get stallsAt(): number | undefined {
    return this.#outbox.stallsAt;
  }

  get eventLimitBytes(): number {
    return this.#eventLimitBytes;
  }

  get okLatencyMs(): number | undefined {
    return this.#outbox.okLatencyMs;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  get deafness(): string | undefined {
    return this.#subscriptions.deafness;
  }

  get ignoredFrames(): number {
    return this.#ignoredFrames;
  }

  get #maxFrameBytes(): number {
    return Math.max(DEFAULT_FRAME_BYTES, this.#eventLimitBytes + FRAME_OVERHEAD_BYTES);
  }

  publish(event: NostrEvent, onResult: OnResult = () => undefined, frame?: Buffer): void {
    if (this.isUp) this.counts.eventsSent += 1;
    if (this.isUp) this.#outbox.send('EVENT', event, onResult, this.#maxFrameBytes, frame);
    else this.#outbox.refuse(onResult, 'error: the relay is not connected');
  }

  authenticate(): void {
    this.#auth.answer();
  }

  delivered(eventId: string): void {
    this.#outbox.delivered(eventId);
  }

  /** Whether the relay says OK for ephemeral events, as far as is known. */
  get habit(): ConfirmingHabit {
    return this.#confirming.habit;
  }

  subscribe(filters: Filter[], handlers: SubscriptionHandlers): Subscription {
    return this.#subscriptions.add(filters, handlers);
  }

  kick(): void {
    this.#socket.kick();
  }

  /** Address of this machine that the connection was made from, while it is up. */
  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  /** Gives up a connection that may be dead without knowing, and connects anew at once. */
  renew(): void {
    if (this.isUp) this.#socket.abandon('connecting anew');
    else this.#socket.kick();
  }

  /** Ends everything; resolves when the socket is gone. Publications still waiting fail, after a moment. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#subscriptions.clear();
    await this.#outbox.answered();
    this.#auth.reset();
    const [wasUp, closed] = [this.isUp, this.#socket.close()];
    this.#outbox.failAll('error: the link was closed');
    this.#lastError = 'the link was closed';
    if (wasUp) this.emit('down', this.#lastError);
    await closed;
  }

  #listen(): void {
    this.#socket.on('connected', (socket) => this.counts.connected(socket));
    this.#socket.on('open', () => this.#onOpen());
    this.#socket.on('lost', (reason, wasOpen) => this.#onLost(reason, wasOpen));
    this.#socket.on('message', (text) => this.#onMessage(text));
    this.#socket.on('garbage', () => this.#ignore());
    // After this turn, so that whoever made the link can listen first.
    setImmediate(() => this.#closing.signal.aborted || this.#socket.start());
  }

  #onOpen(): void {
    this.#lastError = undefined;
    if (this.#troubleReported) this.#log.info({ relay: this.url }, 'relay is reachable again');
    this.#troubleReported = false;
    this.#subscriptions.requestAll();
    void this.#inform();
    this.emit('up');
  }

  #onLost(reason: string, wasOpen: boolean): void {
    this.#lastError = reason;
    this.#subscriptions.pause();
    this.#outbox.failAll(`error: ${reason}`);
    this.#auth.reset();
    // One line for one outage, however many attempts it takes.
    if (!this.#troubleReported) {
      this.#log.warn({ relay: this.url, reason }, wasOpen ? 'relay lost' : 'relay is unreachable');
    }
    this.#troubleReported = true;
    this.emit(wasOpen ? 'down' : 'unreachable', reason);
  }

  /** Nothing was heard for as long as an event waited. Of a relay that confirms nothing, that says nothing yet. */
  #onSilence(): void {
    const { habit, hasConfirmed } = this.#confirming;
    if (hasConfirmed && habit === 'confirms') this.#socket.abandon('the relay does not answer');
    else this.#socket.probe();
  }

  #onMessage(text: Buffer): void {
    const frame = parseRelayFrame(text);
    if (frame === undefined) this.#ignore();
    else this.#dispatch(frame);
  }

  #dispatch(frame: RelayFrame): void {
    switch (frame.type) {
      case 'EVENT':
        this.counts.eventsReceived += 1;
        this.#subscriptions.onEvent(frame.id, frame.event, frame.content);
        break;
      case 'OK':
        this.#onOk(frame.id, frame.ok, frame.reason);
        break;
      case 'EOSE':
        this.#subscriptions.onEose(frame.id);
        break;
      case 'CLOSED':
        this.#onClosed(frame.id, frame.reason);
        break;
      case 'AUTH':
        this.#auth.onChallenge(frame.challenge);
        break;
      case 'NOTICE':
        this.#onNotice(frame.text);
    }
  }

  #onNotice(text: string): void {
    this.#log.debug({ relay: this.url, notice: text }, 'notice of a relay');
    this.#subscriptions.onNotice(text);
    this.#outbox.onNotice(text);
  }

  #onOk(id: string, ok: boolean, reason: string): void {
    if (!ok && !isAuthRequired(reason)) this.counts.refused(reason);
    const settle = (): void => this.#outbox.settle(id, { ok, reason });
    if (!ok && refusesTime(reason)) void this.#settleWithClocks(id, reason);
    else if (ok || !isAuthRequired(reason)) settle();
    else this.#auth.whenDone((yes) => (yes && this.#outbox.resend(id)) || settle());
  }

  /** Whoever reads the reason wants to know whose clock it is. */
  async #settleWithClocks(id: string, reason: string): Promise<void> {
    const { agentFor } = this.#options;
    this.#clocks ??= withClocks(reason, this.#socket.url, {
      agentFor,
      signal: this.#closing.signal,
    });
    const text = await this.#clocks;
    this.#clocks = undefined;
    this.#outbox.settle(id, { ok: false, reason: text });
  }

  #onClosed(id: string, reason: string): void {
    const subscriptions = this.#subscriptions;
    const end = (): void => subscriptions.onClosed(id, reason);
    if (!isAuthRequired(reason)) end();
    else this.#auth.whenDone((yes) => (yes && subscriptions.requestAuthenticated(id)) || end());
  }

  #ignore(): void {
    this.#ignoredFrames++;
    this.#log.debug({ relay: this.url }, 'ignored a frame that makes no sense');
  }

  /** NIP-11, until it was read once. Failing is harmless: then the default limit stays. */
  async #inform(): Promise<void> {
    if (this.#informed) return;
    const { agentFor } = this.#options;
    const { signal } = this.#closing;
    try {
      const information = await fetchRelayInformation(this.#socket.url, { agentFor, signal });
      this.#informed = true;
      this.#eventLimitBytes = eventLimitBytes(this.#eventLimitBytes, information);
    } catch (error) {
      this.#log.debug({ relay: this.url, err: error }, 'relay says nothing about itself');
    }
  }
}

function isAuthRequired(reason: string): boolean {
  return reason.startsWith('auth-required:');
}
