// Where an exit shows its status page, and what its viewers need: settings to parts.

import { demandLoopback, isLoopback, type ListenAddress, parseListen } from './addresses.js';
import type { Settings } from './env.js';
import { type Credentials, credentials } from './identity.js';

const UNENCRYPTED =
  '--status reaches beyond this machine: user and password cross the network unencrypted, so let it be a network that you trust';

export interface StatusConfig {
  readonly status?: ListenAddress;
  /** For the status page. */
  readonly auth?: Credentials;
}

/** @throws NwsError `bad_config` for another address than loopback's without `--auth`. */
export function statusConfig(settings: Settings): StatusConfig & { warnings: readonly string[] } {
  const setting = settings.text({ flag: 'status', variable: 'NWS_STATUS' });
  if (setting === undefined) return { warnings: [] };
  const status = parseListen(setting);
  const auth = credentials(settings);
  if (auth === undefined) demandLoopback(setting, status, 'add --auth user:password, or ');
  const warnings = isLoopback(status.host) ? [] : [UNENCRYPTED];
  return { status, ...(auth && { auth }), warnings };
}
