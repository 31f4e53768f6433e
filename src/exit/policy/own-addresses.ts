// The addresses of this machine, for policy.ts.

import { interfaceAddresses } from '../../common/interfaces.js';

/**
 * Every address of every interface now, with the network that it is in: neighbours trust each other
 * and are reached behind the firewall, also where their addresses are public. `address/bits` each.
 */
export function ownAddresses(): string[] {
  return interfaceAddresses().map(({ address, cidr }) => cidr ?? address);
}
