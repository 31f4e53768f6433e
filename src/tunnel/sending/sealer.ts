// Turns what is to be said to one peer into a signed event, in the encryption that the peer began with.

import type { Event as NostrEvent } from 'nostr-tools';
import type { Scheme, Signer } from '../../crypto/signer.js';
import { FRAME_OVERHEAD_BYTES, publish } from '../../protocol/wire/event-text.js';
import { messageEvent } from '../../protocol/wire/events.js';
import { maxPlainBytes, plaintextCapacity } from '../../protocol/wire/payload.js';
import { FramePool } from './frame-pool.js';

/** Limits of relays that are remembered with what fits them. */
const MAX_CAPACITIES = 256;

export interface SealedEvent {
  readonly event: NostrEvent;
  /** What publishes it. */
  readonly frame: Buffer;
  /** Size of its JSON. */
  readonly bytes: number;
}

export class Sealer {
  readonly signer: Signer;
  /** The peer's, hex. */
  readonly pubkey: string;
  /** What the peer's last message was encrypted with. */
  scheme: Scheme = 'nip44';

  constructor(signer: Signer, pubkey: string) {
    this.signer = signer;
    this.pubkey = pubkey;
  }

  seal(plaintext: string | Buffer): SealedEvent {
    const content = this.signer.encrypt(this.pubkey, plaintext, this.scheme);
    const createdAt = Math.floor(Date.now() / 1_000);
    const unsigned = messageEvent(this.pubkey, content, createdAt);
    const sign = (json: Buffer): NostrEvent => this.signer.sign(unsigned, json);
    const { event, frame } = publish(content, sign, (bytes) => frames.take(bytes));
    return { event, frame, bytes: frame.length - FRAME_OVERHEAD_BYTES };
  }

  /** A frame that a relay has answered: nobody reads it any more. */
  recycle(frame: Buffer): void {
    frames.giveBack(frame);
  }

  /** The longest plaintext for an event of so many bytes. */
  capacity(eventLimitBytes: number): number {
    return capacityOf(eventLimitBytes, this.scheme);
  }

  /** The most data in one message to a NIP-443 peer, for an event of so many bytes. */
  maxPlainBytes(eventLimitBytes: number, destination: string): number {
    return maxPlainBytes(eventLimitBytes, this.scheme, destination);
  }
}

/** Of all peers: how much is under way at a time is bounded at each relay. */
const frames = new FramePool();

const capacities = new Map<string, number>();

/** plaintextCapacity, remembered: it is asked for every event, and there are only a few limits. */
function capacityOf(eventLimitBytes: number, scheme: Scheme): number {
  const key = `${scheme} ${eventLimitBytes}`;
  let capacity = capacities.get(key);
  if (capacity === undefined) {
    capacity = plaintextCapacity(eventLimitBytes, scheme);
    if (capacities.size > MAX_CAPACITIES) capacities.clear();
    capacities.set(key, capacity);
  }
  return capacity;
}
