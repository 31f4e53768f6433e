// What a link to a relay is to the rest of the program, and what it is made with.
import type { EventEmitter } from 'node:events';
import type { Filter, Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import type { Signer } from '../crypto/signer.js';
import type { AgentFor } from './connection/proxy-agent.js';
import type { LinkCounts } from './counts.js';
import type { OnResult } from './publishing/outbox.js';
import type { Subscription, SubscriptionHandlers } from './subscribing/subscriptions.js';

/** A relay was connected to, or its connection has ended, or could not be made. */
export interface RelayEvent {
  /** The relay. */
  readonly url: string;
  /** `unreachable` comes with each attempt that fails. */
  readonly state: 'up' | 'down' | 'unreachable';
  /** Why it isn't up. */
  readonly reason?: string | undefined;
}

export interface RelayLinkEvents {
  up: [];
  down: [reason: string];
  /** An attempt to connect failed; the next is already due. */
  unreachable: [reason: string];
  /** canPublish was false, and there is room again. */
  drain: [];
  /** `deafness` may have changed. */
  hearing: [];
}

export interface RelayLink extends EventEmitter<RelayLinkEvents> {
  readonly url: string;
  readonly isUp: boolean;
  /** Bytes of events that were published and that nothing shows the relay to have read. */
  readonly unconfirmedBytes: number;
  /** The relay is up and the pacing bound isn't reached. */
  readonly canPublish: boolean;
  /** While it takes no more: when it will have confirmed nothing for too long, on performance.now(). */
  readonly stallsAt: number | undefined;
  /** Largest event in bytes of JSON: 65,536, or as set, until NIP-11 says less. */
  readonly eventLimitBytes: number;
  /** From publishing to OK, smoothed. */
  readonly okLatencyMs: number | undefined;
  /** Why the link is down. */
  readonly lastError: string | undefined;
  /** Why the relay, though it is up, doesn't serve a standing subscription. */
  readonly deafness: string | undefined;
  /** Frames from the relay that made no sense. */
  readonly ignoredFrames: number;
  /**
   * `onResult` is called exactly once and never before publish() returns.
   * @param frame what publishes the event, where that has been written already
   */
  publish(event: NostrEvent, onResult?: OnResult, frame?: Buffer): void;
  /** The receiver of a published event has it: that is as good as an OK. */
  delivered(eventId: string): void;
  /** Where the relay has asked for authentication: the keys that came since then authenticate, too. */
  authenticate(): void;
  /** Sent again after every reconnect. The events are raw: check them with verifyEvent. */
  subscribe(filters: Filter[], handlers: SubscriptionHandlers): Subscription;
  /** Connects now instead of at the end of the back-off; asks a relay that is up for a sign of life. */
  kick(): void;
  close(): void;
}

export type AuthSigners = (url: string) => readonly Signer[];

export interface RelayLinkOptions {
  readonly url: string;
  readonly log: Logger;
  readonly agentFor?: AgentFor | undefined;
  /** Who answers AUTH (NIP-42) at this relay; without any, challenges are ignored. */
  readonly authSigners?: AuthSigners | undefined;
  /** What is counted; default: counts of its own. */
  readonly counts?: LinkCounts | undefined;
  /** Bytes of JSON; default 65,536. */
  readonly eventLimitBytes?: number | undefined;
  /** Default 10,000. */
  readonly okTimeoutMs?: number | undefined;
  /** Default 20,000. */
  readonly keepAliveMs?: number | undefined;
}
