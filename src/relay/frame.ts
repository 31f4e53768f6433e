// What a relay may say (NIP-01, NIP-42): text → RelayFrame, or undefined for anything else. Pure.
import type { Event as NostrEvent } from 'nostr-tools';
import { type LongContent, parseFrame } from '../protocol/wire/frame-text.js';

export type RelayFrame =
  | {
      readonly type: 'EVENT';
      readonly id: string;
      readonly event: NostrEvent;
      readonly content: LongContent | undefined;
    }
  | { readonly type: 'OK'; readonly id: string; readonly ok: boolean; readonly reason: string }
  | { readonly type: 'EOSE'; readonly id: string }
  | { readonly type: 'CLOSED'; readonly id: string; readonly reason: string }
  | { readonly type: 'NOTICE'; readonly text: string }
  | { readonly type: 'AUTH'; readonly challenge: string };

/** Longest reason or notice that is kept. */
const MAX_TEXT_CHARS = 500;

/** The event has the right shape; neither its id nor its signature is checked here. */
export function parseRelayFrame(bytes: Buffer): RelayFrame | undefined {
  const frame = parseFrame(bytes);
  if (frame === undefined) return undefined;
  const { content } = frame;
  const [type, id, third, fourth] = frame.values;
  if (typeof type !== 'string' || typeof id !== 'string') return undefined;
  switch (type) {
    case 'EVENT':
      return hasEventShape(third) ? { type, id, event: third, content } : undefined;
    case 'OK':
      return typeof third === 'boolean'
        ? { type, id, ok: third, reason: short(fourth) }
        : undefined;
    case 'EOSE':
      return { type, id };
    case 'CLOSED':
      return { type, id, reason: short(third) };
    case 'NOTICE':
      return { type, text: short(id) };
    case 'AUTH':
      return { type, challenge: id };
    default:
      return undefined;
  }
}

function hasEventShape(value: unknown): value is NostrEvent {
  if (typeof value !== 'object' || value === null) return false;
  const event = value as Record<keyof NostrEvent, unknown>;
  return (
    typeof event.id === 'string' &&
    typeof event.pubkey === 'string' &&
    typeof event.sig === 'string' &&
    typeof event.content === 'string' &&
    typeof event.kind === 'number' &&
    typeof event.created_at === 'number' &&
    Array.isArray(event.tags) &&
    event.tags.every((tag) => Array.isArray(tag) && tag.every((part) => typeof part === 'string'))
  );
}

function short(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT_CHARS) : '';
}
