// What arrives from relays, checked: each event at most once, signed by whom it says, for a key of ours,
// readable, and of the present. Everything else is left out and counted.

import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { BoundedSet } from '../../common/bounded.js';
import { type Scheme, type Signer, verifyEvent } from '../../crypto/signer.js';
import { MAX_SEEN_EVENTS, MAX_SKEW_S, STREAM_VERSION } from '../../limits.js';
import { decodePlaintext, FRAMES_VERSION } from '../../protocol/wire/encoding.js';
import { KIND, tagValue } from '../../protocol/wire/events.js';
import type { LongContent } from '../../protocol/wire/frame-text.js';
import type { Message } from '../../protocol/wire/message.js';

/** Pause between two warnings about a clock. */
const SKEW_WARNING_MS = 60_000;

export interface Received {
  /** Our key that the event is for. */
  readonly signer: Signer;
  /** The peer's pubkey, hex. */
  readonly from: string;
  readonly messages: readonly Message[];
  readonly scheme: Scheme;
  /** They came as a frame, and not as JSON. */
  readonly isFrame: boolean;
  /** Unix time in seconds. */
  readonly createdAt: number;
}

const REASONS = [
  'duplicate',
  'badEvent',
  'foreign',
  'undecryptable',
  'skewed',
  'badMessage',
] as const;
export type Ignored = Record<(typeof REASONS)[number], number>;

export class Reception {
  /** What was left out, by reason. */
  readonly ignored = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Ignored;
  /** Our keys, by pubkey. */
  readonly signers = new Map<string, Signer>();
  readonly #log: Logger;
  /** Ids of verified events, oldest first. */
  readonly #seen: BoundedSet<string>;
  readonly #readsFrames: boolean;
  #skewWarnedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param maxSeen ids that are remembered; the oldest is forgotten first
   * @param version of reliable streams, up to which we speak them
   */
  constructor(log: Logger, maxSeen = MAX_SEEN_EVENTS, version = STREAM_VERSION) {
    this.#log = log;
    this.#readsFrames = version >= FRAMES_VERSION;
    this.#seen = new BoundedSet(maxSeen);
  }

  /**
   * The messages of an event, or undefined where it is to be ignored.
   * @param content where it is long base64
   */
  read(event: NostrEvent, content?: LongContent): Received | undefined {
    const result = this.#read(event, content);
    if (typeof result === 'object') return result;
    this.ignored[result] += 1;
    return undefined;
  }

  /** Whether a public event is genuine and was not seen before. */
  isNew(event: NostrEvent): boolean {
    if (this.#seen.has(event.id) || !verifyEvent(event)) return false;
    this.#seen.add(event.id);
    return true;
  }

  #read(event: NostrEvent, content?: LongContent): Received | keyof Ignored {
    // A forged copy must not make us take the true event for a repeat, so an id counts only when verified.
    if (this.#seen.has(event.id)) return 'duplicate';
    if (event.kind !== KIND.message) return 'badEvent';
    if (!verifyEvent(event, content?.json)) return 'badEvent';
    this.#seen.add(event.id);
    const { pubkey: from, created_at: createdAt } = event;
    const signer = this.signers.get(tagValue(event, 'p') ?? '');
    if (signer === undefined || from === signer.pubkey) return 'foreign';
    const decrypted = attempt(() => signer.decrypt(from, event.content, content?.bytes));
    if (decrypted === undefined) return 'undecryptable';
    if (!this.#isPresent(from, createdAt)) return 'skewed';
    const decoded = attempt(() => decodePlaintext(decrypted.plaintext));
    if (decoded === undefined || (decoded.isFrame && !this.#readsFrames)) return 'badMessage';
    const { messages, invalid, isFrame } = decoded;
    this.ignored.badMessage += invalid;
    return { signer, from, messages, scheme: decrypted.scheme, isFrame, createdAt };
  }

  #isPresent(peer: string, createdAt: number): boolean {
    const skewS = createdAt - Math.floor(Date.now() / 1_000);
    if (Math.abs(skewS) <= MAX_SKEW_S) return true;
    if (performance.now() - this.#skewWarnedAt >= SKEW_WARNING_MS) {
      this.#skewWarnedAt = performance.now();
      const text = `ignored an event that is ${Math.abs(skewS)} s ${skewS > 0 ? 'ahead of' : 'behind'} our clock`;
      this.#log.warn({ peer, skewS, hint: 'check the clocks of both machines' }, text);
    }
    return false;
  }
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
