// A WebSocket frame of relay or client (NIP-01) as JSON. Base64 of 50 KB in an event isn't looked at character by character:
// where it stands is found by its quotes, and the rest is parsed without it. Pure.

import { decodeBase64 } from './base64.js';

/** Long base64 in an event, at hand for who checks or decrypts it. */
export interface LongContent {
  /** As it stands in the frame's JSON, and in what the event's id is the hash of. */
  readonly json: Buffer;
  /** What it is the base64 of. */
  readonly bytes: Buffer;
}

export interface ParsedFrame {
  readonly values: readonly unknown[];
  /** Of the event among them, where that is long base64. */
  readonly content?: LongContent | undefined;
}

/** Below this many bytes, JSON.parse is as quick. */
const LEAST_BYTES = 1_024;
const BEFORE_CONTENT = Buffer.from('"content":"');
const QUOTE = 0x22;

/** The array in a text frame, or undefined for anything else. */
export function parseFrame(frame: Buffer): ParsedFrame | undefined {
  return (frame.length < LEAST_BYTES ? undefined : parseAround(frame)) ?? parseAll(frame);
}

function parseAll(frame: Buffer): ParsedFrame | undefined {
  const values = arrayIn(frame.toString());
  return values && { values };
}

/** Undefined where there is no content that can be left out. */
function parseAround(frame: Buffer): ParsedFrame | undefined {
  const from = frame.indexOf(BEFORE_CONTENT) + BEFORE_CONTENT.length;
  const to = frame.indexOf(QUOTE, from);
  if (from < BEFORE_CONTENT.length || to - from < LEAST_BYTES / 2) return undefined;
  const text = frame.toString('latin1', from, to);
  const bytes = decodeBase64(text);
  if (bytes === undefined) return undefined;
  const values = arrayIn(frame.toString('utf8', 0, from) + frame.toString('utf8', to));
  const event = values?.find(isWithoutContent);
  if (values === undefined || event === undefined) return undefined;
  event.content = text;
  return { values, content: { json: frame.subarray(from, to), bytes } };
}

function isWithoutContent(value: unknown): value is { content: string } {
  return typeof value === 'object' && value !== null && 'content' in value && value.content === '';
}

function arrayIn(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
