// What `resolve`, `cert` and others ask relays with, open for the time of one question.

import type { Logger } from 'pino';
import type { BaseConfig } from '../../config/config.js';
import type { Sources } from '../../config/env.js';
import { NwsError, toNwsError } from '../../errors.js';
import { AliasBook } from '../../proxy/names/alias-book.js';
import { HostResolver, type ResolvedHost } from '../../proxy/resolve.js';
import { RelayPool } from '../../relay/pool.js';
import { type Pin, PinResolver, PinStore } from '../../tls/pins/pins.js';
import { upstreamOf } from '../upstream.js';

export interface Lookup {
  readonly pool: RelayPool;
  readonly resolver: HostResolver;
}

/** Runs one question with a resolver over its own relay links, which are closed afterwards. */
export async function withLookup<T>(
  sources: Sources,
  config: BaseConfig,
  log: Logger,
  ask: (lookup: Lookup) => Promise<T>,
): Promise<T> {
  const pool = new RelayPool({ log, agentFor: upstreamOf(sources) });
  const { relays, aliases, home } = config;
  const book = new AliasBook(home);
  const resolver = new HostResolver({ relays, aliases, book, events: pool, log });
  try {
    return await ask({ pool, resolver });
  } finally {
    await pool.close();
  }
}

/** What a name means, also where no relay is known for it. */
export async function resolveHost(resolver: HostResolver, host: string): Promise<ResolvedHost> {
  try {
    return await resolver.resolve(host);
  } catch (error) {
    if (toNwsError(error).code !== 'no_relay') throw error;
    return { ...resolver.decode(host), relays: [], relaySources: [] };
  }
}

/**
 * The pin of an exit as its relays offer it now.
 * @throws NwsError `pin_mismatch` where it publishes none, or only what can't be believed
 */
export async function fetchPin(
  { pool }: Lookup,
  to: ResolvedHost,
  home: string,
  log: Logger,
): Promise<Pin> {
  const pins = new PinResolver({ store: await PinStore.open(home), source: pool, log });
  const pin = await pins.pinFor(to.pubkey, to.relays, { fresh: true });
  if (pin !== undefined) return pin;
  throw new NwsError('pin_mismatch', `the exit of ${to.host} publishes no certificate`, {
    hint: `start it, and see that it uses ${to.relays.join(' or ')}`,
  });
}
