// What a check is: it looks at one thing, and says in one line what it found and what to do about it.

import type { Logger } from 'pino';
import type { ProxyConfig } from '../../config/config.js';
import type { Sources } from '../../config/env.js';
import type { NwsError } from '../../errors.js';
import type { DecodedHost, HostResolver, ResolvedHost } from '../../proxy/resolve.js';
import type { RelayPool } from '../../relay/pool.js';
import type { Pin } from '../../tls/pins/pins.js';

/** `note`: it holds, and is worth knowing; `skipped`: something before it has to hold first. */
export type Status = 'ok' | 'note' | 'failed' | 'skipped';

export interface Finding {
  /** What was checked, in a word. */
  readonly check: string;
  /** Which one of several, as a relay's URL. */
  readonly subject?: string;
  readonly status: Status;
  /** What was found, in one line. */
  readonly found: string;
  /** What to do. */
  readonly hint?: string | undefined;
  /** The same as numbers, for programs. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Check {
  /** What one waits for meanwhile. */
  readonly waitsFor: string;
  readonly run: (patient: Patient) => AsyncIterable<Finding>;
}

/** What is examined, and what earlier checks have learned of it. */
export interface Patient {
  readonly sources: Sources;
  readonly config: ProxyConfig;
  readonly log: Logger;
  readonly pool: RelayPool;
  readonly resolver: HostResolver;
  /** HOST as it was given, if it was. */
  readonly given: string | undefined;
  /** What HOST says by itself, or why it says nothing. */
  readonly decoded: DecodedHost | NwsError | undefined;
  /** Those of the settings and those of the name, each once. */
  readonly relays: readonly string[];
  /** Of HOST, once it is known. */
  to?: ResolvedHost;
  pin?: Pin;
}

/** The finding of something that failed. */
export function failed(check: string, error: NwsError, prefix = ''): Finding {
  return { check, status: 'failed', found: `${prefix}${error.message}`, hint: error.hint };
}

export function skipped(check: string, why: string): Finding {
  return { check, status: 'skipped', found: `not checked: ${why}` };
}
