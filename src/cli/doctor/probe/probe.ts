// Tries one relay with a handful of events of our own to ourselves: does it take and forward them, how soon, how large,
// in which order? Polite: eight small ones, and one large one unless that is refused.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { inTime } from '../../../common/waiting.js';
import { createSigner, generateSecretKey, type Signer } from '../../../crypto/signer.js';
import { KIND, messageEvent } from '../../../protocol/wire/events.js';
import type { AgentFor } from '../../../relay/connection/proxy-agent.js';
import { WebSocketLink } from '../../../relay/link.js';
import { fetchRelayInformation, type RelayInformation } from '../../../relay/nip11.js';
import { Mailbox } from './mailbox.js';

const CONNECT_TIMEOUT_MS = 10_000;
const ARRIVAL_TIMEOUT_MS = 5_000;
const OK_TIMEOUT_MS = 3_000;
/** Events for the round trip, one after the other. */
const PINGS = 3;
/** Events at once, for the order. */
const BURST = 5;
/** What is tried where the largest doesn't pass. */
const SMALLER_BYTES = [32_768, 16_384, 8_192];

export interface ProbeOptions {
  readonly url: string;
  readonly log: Logger;
  readonly agentFor?: AgentFor | undefined;
  /** Default: a fresh one. A relay that serves some keys alone wants the user's. */
  readonly signer?: Signer | undefined;
}

export interface Probe {
  readonly connectMs: number;
  readonly information: RelayInformation | undefined;
  /** Why it serves no subscription. */
  readonly deafness: string | undefined;
  readonly hasAskedForAuth: boolean;
  readonly published: number;
  readonly delivered: number;
  /** OKs to what was published. */
  readonly confirmed: number;
  /** The first refusal, in the relay's words. */
  readonly refusal: string | undefined;
  /** From publishing to having it back, the shortest. */
  readonly roundTripMs: number | undefined;
  readonly isInOrder: boolean;
  readonly duplicates: number;
  /** The largest event that came through, and what NIP-11 allows. */
  readonly largestBytes: number | undefined;
  readonly limitBytes: number;
  /** It gives ephemeral events to those who come later. */
  readonly isReplaying: boolean;
}

/** @throws Error whose message says why the relay isn't reached */
export async function probeRelay(options: ProbeOptions): Promise<Probe> {
  const { url, log, agentFor, signer = createSigner(generateSecretKey()) } = options;
  let hasAskedForAuth = false;
  const authSigners = (): Signer[] => {
    hasAskedForAuth = true;
    return [signer];
  };
  const link = new WebSocketLink({ url, log, agentFor, authSigners, okTimeoutMs: OK_TIMEOUT_MS });
  try {
    const startedAt = performance.now();
    const informing = fetchRelayInformation(url, { agentFor }).catch(() => undefined);
    await connected(link);
    const connectMs = performance.now() - startedAt;
    const information = await informing;
    const mailbox = new Mailbox(link, signer);
    await mailbox.standing;
    const measured = await exchange(link, mailbox, signer);
    const deafness = link.deafness;
    return { connectMs, information, deafness, ...measured, hasAskedForAuth };
  } finally {
    await link.close();
  }
}

async function connected(link: WebSocketLink): Promise<void> {
  const up = once(link, 'up').then(() => undefined);
  const failing = once(link, 'unreachable').then(([reason]) => String(reason));
  const reason = await inTime(Promise.race([up, failing]), CONNECT_TIMEOUT_MS);
  if (!link.isUp) throw new Error(reason ?? 'no answer in time');
}

async function exchange(link: WebSocketLink, mailbox: Mailbox, signer: Signer) {
  const small = (): NostrEvent => eventOf(signer, 200);
  let roundTripMs: number | undefined;
  for (let index = 0; index < PINGS; index++) {
    const elapsed = await mailbox.send(small(), ARRIVAL_TIMEOUT_MS);
    if (elapsed === undefined) break;
    roundTripMs = Math.min(elapsed, roundTripMs ?? elapsed);
  }
  let isInOrder = true;
  let largestBytes: number | undefined;
  let isReplaying = false;
  if (roundTripMs !== undefined) {
    const burst = Array.from({ length: BURST }, small);
    await Promise.all(burst.map((event) => mailbox.send(event, ARRIVAL_TIMEOUT_MS)));
    isInOrder = mailbox.arrivedInOrder(burst);
    largestBytes = await largestOf(link, mailbox, signer);
    isReplaying = await replays(link, signer);
  }
  await mailbox.answered(OK_TIMEOUT_MS);
  const { published, delivered, confirmed, refusal, duplicates } = mailbox;
  const limitBytes = link.eventLimitBytes;
  const counts = { published, delivered, confirmed, refusal, duplicates };
  return { ...counts, roundTripMs, isInOrder, largestBytes, limitBytes, isReplaying };
}

async function largestOf(link: WebSocketLink, mailbox: Mailbox, signer: Signer) {
  const limit = link.eventLimitBytes;
  for (const bytes of [limit, ...SMALLER_BYTES.filter((size) => size < limit)]) {
    const elapsed = await mailbox.send(eventOf(signer, bytes), ARRIVAL_TIMEOUT_MS);
    if (elapsed !== undefined) return bytes;
  }
  return undefined;
}

/** Whether a subscription for what was, which is none for an ephemeral event, brings some. */
async function replays(link: WebSocketLink, { pubkey }: Signer): Promise<boolean> {
  const filters = [{ kinds: [KIND.message], '#p': [pubkey], limit: 1 }];
  let isReplaying = false;
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const onEvent = (): void => {
    isReplaying = true;
  };
  const subscription = link.subscribe(filters, { onEvent, onEose: end, onClosed: end });
  await inTime(ended, OK_TIMEOUT_MS);
  subscription.close();
  return isReplaying;
}

/** An event of so many bytes of JSON, to its own author. What it says is nothing. */
function eventOf(signer: Signer, bytes: number): NostrEvent {
  const now = Math.floor(Date.now() / 1_000);
  const sign = (content: string): NostrEvent =>
    signer.sign(messageEvent(signer.pubkey, content, now));
  const room = bytes - Buffer.byteLength(JSON.stringify(sign('')));
  return sign(randomBytes(Math.max(16, room)).toString('base64').slice(0, Math.max(16, room)));
}
