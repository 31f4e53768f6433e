// What a relay says about itself (NIP-11), and how large an event it takes by that.
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { NwsError } from '../errors.js';
import { createConnectionWith } from './connection/create-connection.js';
import { USER_AGENT } from './connection/handshake.js';
import type { AgentFor } from './connection/proxy-agent.js';

/** A longer document is not read. */
const MAX_DOCUMENT_BYTES = 64 * 1024;
const FETCH_TIMEOUT_MS = 5_000;
/** `["EVENT",]` around an event on its way to the relay, and room to spare for one with a subscription id. */
const FRAME_OVERHEAD_BYTES = 128;
/** No tunnel message fits into less: a smaller limit is a mistake of the relay's document. */
const MIN_EVENT_BYTES = 2_048;

/** The fields of NIP-11 that matter here; whatever had the wrong type is left out. */
export interface RelayInformation {
  readonly name: string | undefined;
  readonly software: string | undefined;
  readonly version: string | undefined;
  readonly maxMessageLength: number | undefined;
  readonly maxContentLength: number | undefined;
  readonly maxSubscriptions: number | undefined;
  readonly authRequired: boolean;
}

export interface FetchOptions {
  readonly agentFor?: AgentFor | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fetches the document of the relay at a ws:// or wss:// URL. Rejects with relay_unreachable. */
export async function fetchRelayInformation(
  relay: string,
  options: FetchOptions = {},
): Promise<RelayInformation> {
  try {
    return readInformation(JSON.parse(await readBody(await fetchFrom(relay, options))));
  } catch (error) {
    throw new NwsError('relay_unreachable', `no NIP-11 document from ${relay}`, { cause: error });
  }
}

/**
 * What the relay's web server has for the present, in Unix ms, whatever else it answers; undefined where it doesn't say.
 * An answer from a cache is older than its Date (RFC 9111, section 5.1). Rejects where there is no answer.
 */
export async function fetchDate(
  relay: string,
  options: FetchOptions = {},
): Promise<number | undefined> {
  const response = await fetchFrom(relay, options);
  const { date = '', age = '0' } = response.headers;
  response.destroy();
  const at = Date.parse(date) + 1_000 * Number(age);
  return Number.isFinite(at) ? at : undefined;
}

function fetchFrom(relay: string, options: FetchOptions): Promise<IncomingMessage> {
  const url = relay.replace(/^ws/i, 'http');
  const deadline = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  const agent = options.agentFor?.(url);
  const createConnection = createConnectionWith(url.startsWith('https:'), signal) as never;
  return get(url, {
    // Without an agent: one connection that is closed again, instead of one kept alive unseen.
    ...(agent === undefined ? { createConnection } : { agent }),
    headers: { accept: 'application/nostr+json', 'user-agent': USER_AGENT },
    signal,
  });
}

/**
 * The largest event, in bytes of JSON, that is safe to send.
 * `max_message_length` is the frame's limit: it can lower what is assumed, never raise it.
 */
export function eventLimitBytes(assumedBytes: number, information: RelayInformation): number {
  const { maxMessageLength, maxContentLength } = information;
  const claims = [
    maxContentLength ?? assumedBytes,
    maxMessageLength === undefined ? assumedBytes : maxMessageLength - FRAME_OVERHEAD_BYTES,
  ].filter((bytes) => bytes >= MIN_EVENT_BYTES);
  return Math.min(assumedBytes, ...claims);
}

export function readInformation(document: unknown): RelayInformation {
  const top = fields(document);
  const limitation = fields(top.limitation);
  return {
    name: text(top.name),
    software: text(top.software),
    version: text(top.version),
    maxMessageLength: count(limitation.max_message_length),
    maxContentLength: count(limitation.max_content_length),
    maxSubscriptions: count(limitation.max_subscriptions),
    authRequired: limitation.auth_required === true,
  };
}

function get(url: string, options: RequestOptions): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    request(url, options, resolve).on('error', reject).end();
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`status ${response.statusCode}`);
  }
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_DOCUMENT_BYTES) throw new Error('the document is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, 200) : undefined;
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}
