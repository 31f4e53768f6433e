// HOST as people type it: a name, a short one, a whole URL, or name@domain.

import type { Sources } from '../../config/env.js';
import { encodeName, encodeNprofile, isNostrHost } from '../../protocol/names/address.js';
import { isNip05, lookUpNip05 } from '../../proxy/names/nip05.js';
import { upstreamOf } from '../upstream.js';

export interface GivenHost {
  /** To be resolved like the host of any request. */
  readonly host: string;
  /** The name that a web site was asked for, by NIP-05. */
  readonly nip05?: string;
}

/** @throws NwsError for a name@domain that can't be looked up */
export async function givenHost(text: string, sources: Sources): Promise<GivenHost> {
  if (isNip05(text)) {
    const address = await lookUpNip05(text, { agentFor: upstreamOf(sources) });
    return { host: nameOf(address), nip05: text.toLowerCase() };
  }
  const host = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text).hostname : text;
  // One word alone is meant as an alias; to the proxy it would be a host of the local network.
  return { host: host.includes('.') || isNostrHost(host) ? host : `${host}.nostr` };
}

/** The name with its relays, or where these don't fit one the nprofile. */
function nameOf(address: Parameters<typeof encodeName>[0]): string {
  try {
    return encodeName(address);
  } catch {
    return `${encodeNprofile(address)}.nostr`;
  }
}
