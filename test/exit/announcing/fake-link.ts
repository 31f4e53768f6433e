// A link to a relay that is the test itself.

import { EventEmitter } from 'node:events';
import type { Event as NostrEvent } from 'nostr-tools';
import type { PublishResult, RelayLink, RelayLinkEvents } from '../../../src/relay/link.js';

/** A link that remembers what was published; the test answers for the relay. */
export class FakeLink extends EventEmitter<RelayLinkEvents> implements RelayLink {
  readonly url: string;
  isUp = false;
  readonly unconfirmedBytes = 0;
  readonly canPublish = true;
  readonly stallsAt = undefined;
  readonly eventLimitBytes = 65_536;
  readonly okLatencyMs = undefined;
  readonly lastError = undefined;
  readonly deafness = undefined;
  readonly ignoredFrames = 0;
  authenticate = (): void => undefined;
  delivered = (): void => undefined;
  readonly published: { event: NostrEvent; answer: (result: PublishResult) => void }[] = [];

  constructor(url: string) {
    super();
    this.url = url;
  }
  publish(event: NostrEvent, onResult: (result: PublishResult) => void = () => undefined): void {
    this.published.push({ event, answer: onResult });
  }
  subscribe = () => ({ update: () => undefined, close: () => undefined });
  kick = (): void => undefined;
  close = (): void => undefined;

  up(): void {
    this.isUp = true;
    this.emit('up');
  }
}
