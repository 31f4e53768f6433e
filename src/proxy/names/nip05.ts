// Names like bob@example.com (NIP-05): a web site says which key and relays they mean. The answer is as good as the
// site: whoever runs it, or its DNS, decides. So it is asked when a person names one, never for a proxied request.

import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { NwsError, toNwsError } from '../../errors.js';
import { type Address, MAX_RELAYS, normalizeRelayUrl } from '../../protocol/names/address.js';
import { isPublicKey } from '../../protocol/names/public-key.js';
import type { AgentFor } from '../../relay/connection/proxy-agent.js';

const TIMEOUT_MS = 10_000;
/** Sites may have one file for all their users. */
const MAX_BYTES = 4 * 2 ** 20;

/** The local part as NIP-05 allows it, and a domain with or without a port. */
const IDENTIFIER = /^([a-z0-9._-]+)@((?:[a-z0-9-]+\.)*[a-z0-9-]+(?::\d{1,5})?)$/i;

export interface Nip05Options {
  readonly agentFor?: AgentFor | undefined;
  /** Certificates to trust besides Node's own, PEM. */
  readonly ca?: string | undefined;
}

export function isNip05(name: string): boolean {
  return IDENTIFIER.test(name);
}

/**
 * Asks the site of a name for its key and relays, by https and without following redirects, as NIP-05 has it.
 * @throws NwsError `bad_name` where the site doesn't know it or makes no sense; `destination_unavailable` and the
 *   like where it can't be reached
 */
export async function lookUpNip05(name: string, options: Nip05Options = {}): Promise<Address> {
  const [, local = '', domain = ''] = IDENTIFIER.exec(name.toLowerCase()) ?? [];
  if (domain === '') throw bad(name, 'is not like name@domain');
  const url = `https://${domain}/.well-known/nostr.json?name=${encodeURIComponent(local)}`;
  let document: unknown;
  try {
    document = JSON.parse(await fetchText(url, options));
  } catch (error) {
    if (error instanceof NwsError) throw error;
    if (error instanceof SyntaxError) throw bad(name, `is unknown: ${domain} has no nostr.json`);
    const { code, message } = toNwsError(error, 'destination_unavailable');
    const hint = 'the name of an exit itself needs no web: ask for that one';
    throw new NwsError(code, `can't ask ${domain} for ${name}: ${message}`, { hint, cause: error });
  }
  const pubkey = own(own(document, 'names'), local);
  if (typeof pubkey !== 'string') throw bad(name, `is unknown at ${domain}`);
  const key = pubkey.toLowerCase();
  if (!isPublicKey(key)) throw bad(name, 'has no valid key');
  return { pubkey: key, relays: usable(own(own(document, 'relays'), pubkey)) };
}

async function fetchText(url: string, { agentFor, ca }: Nip05Options): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const agent = agentFor?.(url) ?? false;
  const headers = { accept: 'application/json', 'user-agent': 'nws' };
  const response = await get(url, { agent, headers, signal, ...(ca !== undefined && { ca }) });
  const { statusCode = 0, headers: fields } = response;
  const isTooLong = Number(fields['content-length'] ?? 0) > MAX_BYTES;
  if (statusCode !== 200 || isTooLong) {
    response.destroy();
    throw new Error(statusCode === 200 ? 'the answer is too long' : `it answers ${statusCode}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function get(url: string, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, options, resolve).once('error', reject).end();
  });
}

function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

/** What isn't a relay is left out. */
function usable(urls: unknown): string[] {
  const relays = new Set<string>();
  for (const url of Array.isArray(urls) ? urls.slice(0, 64) : []) {
    try {
      if (typeof url === 'string' && relays.size < MAX_RELAYS) relays.add(normalizeRelayUrl(url));
    } catch {
      // somebody else's text
    }
  }
  return [...relays];
}

function bad(name: string, what: string): NwsError {
  return new NwsError('bad_name', `${name} ${what}`, {
    hint: 'a name like name@domain is looked up at https://domain/.well-known/nostr.json (NIP-05)',
  });
}
