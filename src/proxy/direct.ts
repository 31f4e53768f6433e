// The entry's part in direct paths. Without an exit's policy, it probes public addresses outside its own networks.

import type { Logger } from 'pino';
import { ownAddresses } from '../common/net/own-addresses.js';
import type { Endpoint } from '../protocol/direct/endpoint.js';
import { DirectEntry } from '../tunnel/direct/direct-entry.js';
import { isPublic } from '../tunnel/direct/meeting/judge.js';
import type { DirectSettings } from '../tunnel/direct/options.js';

/** @throws NwsError `bad_config` without udx-native, `address_in_use` */
export function startDirect(settings: DirectSettings, log: Logger): Promise<DirectEntry> {
  const judge = (endpoint: Endpoint): boolean => isPublic(endpoint, ownAddresses());
  return DirectEntry.start({ settings, judge, ownAddresses, log });
}
