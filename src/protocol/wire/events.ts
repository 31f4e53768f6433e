// Builds and reads the events of NIP-443 and the tags around them. Signing and sealing are crypto/'s.

import type { EventTemplate, Event as NostrEvent } from 'nostr-tools';
import { STREAM_VERSION } from '../../limits.js';
import { MAX_RELAYS, normalizeRelayUrl } from '../names/address.js';

export const KIND = {
  /** One or several messages for one peer; ephemeral. */
  message: 28333,
  /** A public exit says that it is there. */
  announcement: 38333,
  /** The exit's TLS certificate. */
  certificate: 38334,
  /** Someone's relays (NIP-65). */
  relayList: 10002,
} as const;

/** Relays in a list that we publish; NIP-65 asks for few. */
const MAX_LISTED_RELAYS = 20;

type Tagged = Pick<NostrEvent, 'tags'>;

/** NIP-01 wants a `d` tag on addressable kinds; a missing one and an empty one are the same address. */
const ADDRESS_TAG = ['d', ''];
/** Tells up to which version the author speaks reliable streams. */
const STREAMS_TAG = ['nws', String(STREAM_VERSION)];
/** Behind that: the author takes part in looking for direct paths. */
const DIRECT = 'direct';

/**
 * One encrypted message event for a peer.
 * @param createdAt unix seconds, here and below
 */
export function messageEvent(peer: string, content: string, createdAt: number): EventTemplate {
  return { kind: KIND.message, created_at: createdAt, tags: [['p', peer]], content };
}

/**
 * The exit's certificate for everyone to pin.
 * @param pem one or several certificates, the current one first
 * @param fingerprint SHA-256 of the current certificate's DER, in hex
 * @param direct whether the exit takes part in looking for direct paths
 */
export function certificateEvent(
  pem: string,
  pubkey: string,
  fingerprint: string,
  createdAt: number,
  direct = false,
): EventTemplate {
  const tags = [['p', pubkey], ADDRESS_TAG, streamsTag(direct), ['x', fingerprint]];
  return { kind: KIND.certificate, created_at: createdAt, tags, content: pem };
}

/** A public exit's sign of life, valid until `expiresAt` (NIP-40). */
export function announcementEvent(
  createdAt: number,
  expiresAt: number,
  direct = false,
): EventTemplate {
  const tags = [['expiration', String(expiresAt)], ADDRESS_TAG, streamsTag(direct)];
  return { kind: KIND.announcement, created_at: createdAt, tags, content: '' };
}

function streamsTag(direct: boolean): string[] {
  return direct ? [...STREAMS_TAG, DIRECT] : STREAMS_TAG;
}

/** Relays keep such events for no one (NIP-01). */
export function isEphemeral(kind: number): boolean {
  return kind >= 20_000 && kind < 30_000;
}

/** The value of the first tag of that name. */
export function tagValue(event: Tagged, name: string): string | undefined {
  return event.tags.find((tag) => tag[0] === name)?.[1];
}

/** Whether the author of a 38333 or 38334 understands reliable streams. */
export function speaksReliableStreams(event: Tagged): boolean {
  return streamVersion(event) >= 1;
}

/** Up to which version the author of a 38333 or 38334 speaks reliable streams; 0 where it doesn't. */
export function streamVersion(event: Tagged): number {
  return wholeNumber(tagValue(event, 'nws')) ?? 0;
}

/** Whether the author of a 38333 or 38334 takes part in looking for direct paths. */
export function offersDirect(event: Tagged): boolean {
  return (
    event.tags
      .find((tag) => tag[0] === 'nws')
      ?.slice(2)
      .includes(DIRECT) ?? false
  );
}

/** Whether the event has an expiration (NIP-40) and it is over at `now`. A value that is no number counts as none. */
export function isExpired(event: Tagged, now: number): boolean {
  const expiration = wholeNumber(tagValue(event, 'expiration'));
  return expiration !== undefined && expiration <= now;
}

/**
 * The exit's relays (NIP-65), for names that carry none. What an earlier list of this key holds stays in it,
 * as far as it fits: the key may be a person's, too.
 */
export function relayListEvent(
  relays: readonly string[],
  earlier: Tagged | undefined,
  createdAt: number,
): EventTemplate {
  const ours = relays.map((url) => ['r', url]);
  const theirs = (earlier?.tags ?? []).filter(
    ([name, url]) => name === 'r' && !isListed(url, relays),
  );
  const tags = [...ours, ...theirs].slice(0, MAX_LISTED_RELAYS);
  return { kind: KIND.relayList, created_at: createdAt, tags, content: '' };
}

function isListed(url: string | undefined, relays: readonly string[]): boolean {
  return (
    url === undefined || relays.some((relay) => relay.replace(/\/$/, '') === url.replace(/\/$/, ''))
  );
}

/**
 * The relays where the author of a NIP-65 list reads, at most eight, canonical, each once.
 * Those marked `write` are left out, since nobody listens there; so are invalid ones.
 */
export function relaysOfList(event: Tagged): string[] {
  const relays = new Set<string>();
  for (const [name, url, marker] of event.tags) {
    if (name !== 'r' || url === undefined || marker === 'write') continue;
    try {
      relays.add(normalizeRelayUrl(url));
    } catch {
      continue; // The list is somebody else's; one bad line in it spoils nothing.
    }
    if (relays.size === MAX_RELAYS) break;
  }
  return [...relays];
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
