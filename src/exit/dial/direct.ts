// The exit's part in direct paths: an address that an entry names is probed if CONNECTR could be dialled back there.

import type { Logger } from 'pino';
import { ownAddresses } from '../../common/net/own-addresses.js';
import type { Endpoint } from '../../protocol/direct/endpoint.js';
import { DirectExit } from '../../tunnel/direct/direct-exit.js';
import type { DirectSettings } from '../../tunnel/direct/options.js';
import type { Policy } from '../policy/policy.js';

/** @throws NwsError `bad_config` without udx-native, `address_in_use` */
export function startDirect(
  settings: DirectSettings,
  policy: Policy,
  log: Logger,
): Promise<DirectExit> {
  const judge = ({ address, port }: Endpoint): boolean => {
    try {
      policy.judgeReverse(address, port);
      return true;
    } catch {
      return false;
    }
  };
  return DirectExit.start({ settings, judge, ownAddresses, log });
}
